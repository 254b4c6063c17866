#include "dsp/gpu/shaders.h"

// The Makefile compiles this file anew when a shader changes: the assembler reads them.
#define EMBED(name, path)                                                                          \
    __asm__(".pushsection .rodata\n"                                                               \
            ".global " #name "\n" #name ":\n"                                                      \
            ".incbin \"" path "\"\n"                                                               \
            ".byte 0\n"                                                                            \
            ".popsection\n")

EMBED(shaders_mac, "dsp/gpu/shaders/mac.comp");
