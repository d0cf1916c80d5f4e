// Quads: bytes of eight replicas at four ranks, which are a word.

typedef u32 word;

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

// Give lane l of all groups, 8 times the number of a group plus that of a bit, what lane from[l] has.
extern "C" __global__ void take(
    u64* meeting, u32 groups, u64 words, const u32* __restrict__ from, const u32* __restrict__ x, u32* out) {
    EACH(item, words) {
        const u64 quad = item / groups * groups;
        const u32* lanes = from + 8 * (item - quad);
        u32 w = 0;
#pragma unroll
        for (int j = 0; j < 8; ++j) w |= (x[quad + lanes[j] / 8] >> lanes[j] % 8 & 0x01010101u) << j;
        out[item] = w;
    }
    MEET;
}
