/// A phone with an OSC app: liblo, which knows nothing of Consort.
///
/// Owner: the test. Thread: any one.
#ifndef CONSORT_TESTS_BOX_PHONE_H
#define CONSORT_TESTS_BOX_PHONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct phone;

/// What was heard last of an address.
struct phone_value {
    double number;
    char text[512]; ///< its last text
    unsigned count; ///< how often it was heard
};

/// `own_port` is the phone's, 0 takes a free one. Fails the test when it cannot.
struct phone *phone_create(uint16_t box_port, uint16_t own_port);
void phone_destroy(struct phone *phone);
uint16_t phone_port(const struct phone *phone);

/// Sends a message with up to 3 numbers, or with a text.
void phone_send(struct phone *phone, const char *address);
void phone_send_number(struct phone *phone, const char *address, double number);
void phone_send_text(struct phone *phone, const char *address, const char *text);
void phone_note(struct phone *phone, int part, int key, int velocity);
void phone_control(struct phone *phone, int part, int controller, int value);

/// Hears what has come, for at most `ms`.
void phone_listen(struct phone *phone, int ms);

/// What was heard of an address since `phone_forget`; NULL for nothing.
const struct phone_value *phone_heard(const struct phone *phone, const char *address);
void phone_forget(struct phone *phone);
unsigned phone_heard_addresses(const struct phone *phone);

/// Asks for a value. Fails the test when there is no answer in 2 s.
double phone_number(struct phone *phone, const char *address);
const char *phone_text(struct phone *phone, const char *address);

/// Asks again and again until the value is between the bounds; whether it was, in time.
bool phone_wait(struct phone *phone, const char *address, double low, double high, int patience_ms);

/// `phone_wait`, failing the test when in vain.
void phone_expect(struct phone *phone, const char *address, double low, double high,
                  int patience_ms);

#endif
