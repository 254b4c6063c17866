/// Parameters in OSC messages: arguments to values and back.
///
/// Pure. Thread: any.
#ifndef CONSORT_NET_OSC_PARAM_H
#define CONSORT_NET_OSC_PARAM_H

#include <stdbool.h>
#include <stddef.h>

#include "config/param.h"
#include "net/osc_message.h"

enum { OSC_REASON_MAX = 320 }; ///< bytes of the sentence that explains an error

/// Reads the value that a message sets a parameter to, from its one argument: a number or a
/// switch (rounded where the parameter is whole), the name of a choice, a text. `is_normalized`:
/// a number 0..1 over the range. Returns 0, or a negative errno and why in `reason`.
int osc_param_read(unsigned index, bool is_normalized, const struct osc_message *message,
                   struct param_value *value, char reason[OSC_REASON_MAX]);

/// The value as an argument: f, i (BOOL: 1 or 0), or s for TEXT and the name of a choice;
/// normalized always f. `scratch` keeps the name. Returns false for the normalized value of a
/// text.
bool osc_param_answer(unsigned index, bool is_normalized, const struct param_value *value,
                      char scratch[PARAM_TEXT_MAX], struct osc_argument *argument);

/// The sentence for an error that the host returned on setting `value`.
void osc_param_explain(unsigned index, const struct param_value *value, int error,
                       char reason[OSC_REASON_MAX]);

#endif
