// What bit-sliced kernels stand on besides ../runtime.cuh: streams of 64 bits and tails.

typedef unsigned char u8;

#define ZERO ((word)0)
#define ONES (~(word)0)

// ---- random bits: see rng.py -----------------------------------------------------------------------------

struct BitStream {
    u64 a, b, c;
};

// Word ``number`` of a stream, counted from 1.
FN u64 next64(BitStream& s, u32 number) {
    const u64 x = s.a + s.b + number;
    s.a = s.b ^ (s.b >> 11);
    s.b = s.c + (s.c << 3);
    s.c = ((s.c << 24) | (s.c >> 40)) + x;
    return x;
}

// A stream after ``words`` words, those of the warm-up included.
FN BitStream bit_stream(u32 block, u32 who, u32 sweep, u32 number, u64 seed, u32 words) {
    const Words x = philox(block, who, sweep, number | BIT_STREAM, seed);
    BitStream s = {x.w[0] | (u64)x.w[1] << 32, x.w[2] | (u64)x.w[3] << 32, SFC64_C};
    for (u32 k = 1; k <= words; ++k) next64(s, k);
    return s;
}

// The bits of a uniform below its planes.
FN u64 tail(u64 state, u32 index) {
    u64 x = state ^ (index + 1) * GOLDEN;
    x = (x ^ (x >> 30)) * MIX1;
    x = (x ^ (x >> 27)) * MIX2;
    return (x ^ (x >> 31)) >> (64 - TAIL);
}

FN u32 lowest(u64 x) { return __ffsll(x) - 1; }
FN u32 lowest(u32 x) { return __ffs(x) - 1; }
