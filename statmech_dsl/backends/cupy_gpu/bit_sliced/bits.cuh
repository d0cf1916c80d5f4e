// What bit-sliced kernels stand on besides ../runtime.cuh: streams of 64 bits, tails, and how words are read.

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

// ---- words of sites --------------------------------------------------------------------------------------

// Where 32 neighboring words read: the words from ``row`` on, rotated down by ``turn`` lanes; or, with LISTED in
// ``turn``, each its own place, listed from number ``row`` on.
struct alignas(8) Place {
    u32 row, turn;
};

FN Place place_of(Place p, const Place* __restrict__ listed, u32 lane) {
    if (p.turn & LISTED) return listed[p.row + lane];
    return {p.row + lane, p.turn};
}

FN u64 turned(u64 w, u32 turn, u32 size, u64 lanes) {
    return turn ? ((w >> turn) | (w << (size - turn))) & lanes : w;
}

FN u64 spread(u32 level, int bit) {
    const u32 half = 0u - (level >> bit & 1u);
    return half | (u64)half << 32;
}

// ---- quads: bytes of replicas at four ranks -------------------------------------------------------------

// Rows k, k + 8, k + 16, k + 24 of 32 rows share a stream; for eight replicas they are the bytes of a word. A place
// is the number of a quad, and in bits 29 and 30 by how many bytes the rows begin later. With LISTED, which is the
// same in all columns, the rows have places of their own: 4 times the number of the quad plus that of the byte.
struct alignas(16) Four {
    u32 place[4];
};

// Quad number k of eight replicas, whose quads lie ``stride`` bytes apart.
FN const u32* quad_at(const u32* x, u32 k, u32 stride) {
    return (const u32*)((const u8*)x + (u64)k * stride);
}

FN u32 read_shifted(const u32* x, u32 p, u32 stride) {
    const u32 shift = p >> 26 & 24;
    const u32* quad = quad_at(x, p & 0x1FFFFFFF, stride);
    const u32 low = *quad, high = *quad_at(quad, 1, shift ? 8 * stride : 0);
    return (u32)((low | (u64)high << 32) >> shift);
}

FN u32 read_four(const u32* x, const Four& four, u32 stride) {
    u32 w = 0;
#pragma unroll
    for (int i = 0; i < 4; ++i)
        w |= (u32)((const u8*)quad_at(x, four.place[i] >> 2, stride))[four.place[i] & 3] << 8 * i;
    return w;
}

// Write the bytes of a quad whose ranks, k, k + 8, ..., are from ``first`` to ``last``.
FN void write_quad(u32* x, u32 w, u32 k, u32 first, u32 last) {
    if (k >= first && k + 24 < last) {
        *x = w;
        return;
    }
#pragma unroll
    for (u32 i = 0; i < 4; ++i)
        if (k + 8 * i >= first && k + 8 * i < last) ((u8*)x)[i] = (u8)(w >> 8 * i);
}

// Byte j of word i becomes byte i of word j.
FN void transpose(u32& a, u32& b, u32& c, u32& d) {
    const u32 p = __byte_perm(a, b, 0x5140), q = __byte_perm(a, b, 0x7362);
    const u32 r = __byte_perm(c, d, 0x5140), s = __byte_perm(c, d, 0x7362);
    a = __byte_perm(p, r, 0x5410), b = __byte_perm(p, r, 0x7632);
    c = __byte_perm(q, s, 0x5410), d = __byte_perm(q, s, 0x7632);
}

// The planes of a quad, r[0] the most significant one; s goes on by six words from ``number`` on. A state for the
// tails of each half of the quad comes back.
struct States {
    u64 low, high;
};

FN States draw_quad(BitStream& s, u32 number, u32* r) {
    States state;
    u64 w[6];
    for (int k = 0; k < 3; ++k) w[k] = next64(s, number + k);
    state.low = s.a;
    for (int k = 3; k < 6; ++k) w[k] = next64(s, number + k);
    state.high = s.a;
    // Twelve bytes belong to each of the four ranks, in the order of their planes.
    r[0] = (u32)w[0], r[4] = (u32)(w[0] >> 32), r[8] = (u32)w[1];
    r[1] = (u32)(w[1] >> 32), r[5] = (u32)w[2], r[9] = (u32)(w[2] >> 32);
    r[2] = (u32)w[3], r[6] = (u32)(w[3] >> 32), r[10] = (u32)w[4];
    r[3] = (u32)(w[4] >> 32), r[7] = (u32)w[5], r[11] = (u32)(w[5] >> 32);
    transpose(r[0], r[1], r[2], r[3]);
    transpose(r[4], r[5], r[6], r[7]);
    transpose(r[8], r[9], r[10], r[11]);
    return state;
}
