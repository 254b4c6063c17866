/// The reference of all parameters, written from the table: nothing about a parameter is typed
/// anywhere else. `config/consort.cfg` and `config/PARAMETERS.md` are its output.
///
/// Thread: any but the audio thread. Errors are the stream's: ask ferror.
#ifndef CONSORT_CONFIG_REFERENCE_H
#define CONSORT_CONFIG_REFERENCE_H

#include <stdio.h>

/// A config file with every key at its default, explained. Loads without an error.
void reference_write_config(FILE *out);

/// A page in Markdown, one table for each group.
void reference_write_markdown(FILE *out);

/// An array with one object for each row of the table; N in a path stands for the parts 1..16.
void reference_write_json(FILE *out);

#endif
