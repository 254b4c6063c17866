#version 310 es
// Spectral multiply-accumulate: one block of one bank of impulse responses.
// Reference: dsp/gpu/mac_reference.c, which tells the sum; layout: dsp/base/fft.h.
//
// An invocation sums four neighbouring bins of every output, so that each spectrum of the input is
// read once. No invocation needs another's result: there is nothing to share or to wait for.
precision highp float;
precision highp int;

layout(local_size_x = 64) in;

layout(std430, binding = 0) readonly restrict buffer Impulse { vec4 impulse[]; };
layout(std430, binding = 1) readonly restrict buffer History { vec4 history[]; };
layout(std430, binding = 2) writeonly restrict buffer Result { vec4 result[]; };

layout(location = 0) uniform uvec4 bank;  // inputs, outputs, paths (a bit each), partitions
layout(location = 1) uniform uvec4 place; // quads a spectrum, rows of history, newest row, first result
layout(location = 2) uniform uvec4 part;  // partitions to sum, first quad, quads to do

// A tile of 16 bins is four vectors of real parts, then four of imaginary parts.
const uint TILE = 8u;
const uint HALF = 4u;

// The product is (re * h_re - im * h_im, cross * h_im + im * h_re), where `im` and `cross` are the
// input's imaginary and real part. Bin 0 is two real numbers: there im = 0, cross = imaginary part.
struct Terms {
    vec4 re, im, cross;
};

Terms read_input(uint at, vec4 is_complex)
{
    vec4 re = history[at], im = history[at + HALF];
    return Terms(re, im * is_complex, mix(im, re, is_complex));
}

void add(inout vec4 y_re, inout vec4 y_im, Terms x, uint at)
{
    vec4 h_re = impulse[at], h_im = impulse[at + HALF];
    y_re += x.re * h_re - x.im * h_im;
    y_im += x.cross * h_im + x.im * h_re;
}

void main()
{
    uint quad = part.y + gl_GlobalInvocationID.x;
    if (gl_GlobalInvocationID.x >= part.z)
        return;
    uint inputs = bank.x, outputs = bank.y;
    uint spectrum = 2u * place.x; // vectors
    uint within = quad / HALF * TILE + quad % HALF;
    vec4 is_complex = vec4(quad == 0u ? 0.0 : 1.0, 1.0, 1.0, 1.0);

    vec4 a_re = vec4(0.0), a_im = vec4(0.0), b_re = vec4(0.0), b_im = vec4(0.0);
    uint path = 0u;
    for (uint i = 0u; i < inputs; i++) {
        bool has_a = (bank.z >> (i * outputs) & 1u) != 0u;
        bool has_b = outputs > 1u && (bank.z >> (i * outputs + 1u) & 1u) != 0u;
        uint to_a = path * bank.w * spectrum + within;
        path += has_a ? 1u : 0u;
        uint to_b = path * bank.w * spectrum + within;
        path += has_b ? 1u : 0u;
        uint row = place.z;
        for (uint j = 0u; j < part.x; j++) {
            Terms x = read_input((i * place.y + row) * spectrum + within, is_complex);
            if (has_a)
                add(a_re, a_im, x, to_a + j * spectrum);
            if (has_b)
                add(b_re, b_im, x, to_b + j * spectrum);
            row = row == 0u ? place.y - 1u : row - 1u;
        }
    }
    result[place.w + within] = a_re;
    result[place.w + within + HALF] = a_im;
    if (outputs > 1u) {
        result[place.w + spectrum + within] = b_re;
        result[place.w + spectrum + within + HALF] = b_im;
    }
}
