/// Which Consort this is.
#ifndef CONSORT_FIRMWARE_VERSION_H
#define CONSORT_FIRMWARE_VERSION_H

#define CONSORT_VERSION "0.1"

#endif
