#include "dsp/synth/tuning.h"

RT float tuning_cents(const struct tuning *tuning, unsigned number, const struct part *part,
                      unsigned key)
{
    if (part->is_drums)
        return 0.0f;
    float cents = tuning->master_cents + tuning->message_cents;
    cents += tuning->octave_cents[number][key % 12];
    return cents + (part->has_tuning ? tuning->key_cents[part->tuning_program][key] : 0.0f);
}

RT void tuning_set_key(struct tuning *tuning, unsigned program, unsigned key, float semitones)
{
    tuning->key_cents[program][key] = (semitones - (float)key) * 100.0f;
}
