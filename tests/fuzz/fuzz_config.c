// Fuzz target: any bytes as a config file. What is accepted must be valid, what is refused must
// say why and leave the defaults.

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "config/config.h"
#include "config/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

// libconfig 1.5 leaks texts, the last one before a syntax error among them; ours is not excused.
const char *__lsan_default_suppressions(void); // NOLINT(bugprone-reserved-identifier)
const char *__lsan_default_suppressions(void) { return "leak:libconfig.so"; } // NOLINT

static struct config_values values;

static void check_values(void)
{
    for (unsigned index = 0; index < PARAM_COUNT; index++) {
        const struct param *row = param_row(index);
        assert(!values.is_set[index] || (row->flags & PARAM_FLAG_CONFIG));
        assert(values.is_set[index] == (values.line[index] > 0));
        if (row->type == PARAM_TEXT)
            assert(text_is_utf8(values.value[index].text));
        else
            assert(param_is_valid(row, values.value[index].number));
    }
}

static void check_report(const struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        assert(report->error[i].message[0]);
        assert(!text_has_control(report->error[i].message));
        assert(i == 0 || report->error[i - 1].line <= report->error[i].line);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct config_report report = {0};
    const int error = config_load_text((const char *)bytes, count, "fuzz.cfg", &values, &report);
    assert((error == 0) == (report.count == 0));
    assert(error == 0 || config_count(&values) == 0);
    check_values();
    check_report(&report);
    config_report_finish(&report);
    return 0;
}
