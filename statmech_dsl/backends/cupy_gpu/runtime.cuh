// What generated kernels stand on: threads, random streams, and primitives of the elementary functions.
//
// A kernel is a sequence of stages. In a stage each thread takes some of the items of EACH(item, n); the items of
// a stage do not depend on each other, so any number of threads gives the same bits. MEET ends a stage: all
// threads wait until all of them have come. A host compiler gets its own EACH and MEET from a header before this.

typedef signed char i8;
typedef short i16;
typedef long long i64;
typedef unsigned int u32;
typedef unsigned long long u64;

#define FN static __device__ __forceinline__

#ifndef EACH
#define EACH(item, n) \
    for (u64 item = (u64)blockIdx.x * blockDim.x + threadIdx.x; item < (u64)(n); item += (u64)gridDim.x * blockDim.x)
#define MEET meet(meeting)

// A counter that only grows: a block has passed when the last block of its round has come. All blocks must be
// resident, which a cooperative launch guarantees.
FN void meet(u64* counter) {
    __syncthreads();
    if (threadIdx.x == 0) {
        __threadfence();
        const u64 round = atomicAdd(counter, 1ull) / gridDim.x;
        while (*(volatile u64*)counter < (round + 1) * gridDim.x) {}
        __threadfence();
    }
    __syncthreads();
}
#endif

// ---- random streams: see rng.py --------------------------------------------------------------------------

struct Words {
    u32 w[4];
};

FN Words philox(u32 c0, u32 c1, u32 c2, u32 c3, u64 seed) {
    u32 k0 = (u32)seed, k1 = (u32)(seed >> 32);
#pragma unroll
    for (int i = 0; i < 10; ++i) {
        const u32 h0 = __umulhi(PHILOX_M0, c0), l0 = PHILOX_M0 * c0;
        const u32 h1 = __umulhi(PHILOX_M1, c2), l1 = PHILOX_M1 * c2;
        c0 = h1 ^ c1 ^ k0, c1 = l1, c2 = h0 ^ c3 ^ k1, c3 = l0;
        k0 += PHILOX_W0, k1 += PHILOX_W1;
    }
    return {{c0, c1, c2, c3}};
}

struct Stream {
    u32 a, b, c, n;
};

FN u32 next(Stream& s) {
    const u32 word = s.a + s.b + ++s.n;
    s.a = s.b ^ (s.b >> 9);
    s.b = s.c + (s.c << 3);
    s.c = ((s.c << 21) | (s.c >> 11)) + word;
    return word;
}

FN void skip(Stream& s, u32 words) {
    for (u32 i = 0; i < words; ++i) next(s);
}

// The stream of a lane of a tile of ranks, after the warm-up.
FN Stream stream(u32 block, u32 replica, u32 sweep, u32 number, u64 seed) {
    const Words x = philox(block, replica, sweep, number, seed);
    Stream s = {x.w[0], x.w[1], x.w[2], 0};
    skip(s, WARM_UP);
    return s;
}

FN double uniform(u32 word) { return (word + 0.5) * 0x1p-32; }
FN float uniformf(u32 word) { return ((float)(word >> 9) + 0.5f) * 0x1p-23f; }

// ---- primitives of ir/elementary.py and ir/elementary_float32.py -----------------------------------------

#define NOT_A_NUMBER __longlong_as_double(0x7FF8000000000000ll)
#define INFINITE __longlong_as_double(0x7FF0000000000000ll)

FN double scale2(double p, double n) {
    const u64 whole = (u64)__double_as_longlong(n + 6755399441055744.0) - 0x4338000000000000ull;
    return __longlong_as_double((i64)((u64)__double_as_longlong(p) + (whole << 52)));
}

FN double exponent(double x) { return (double)((__double_as_longlong(x) >> 52) & 0x7FF) - 1022.0; }

FN double mantissa(double x) {
    return __longlong_as_double((__double_as_longlong(x) & 0x800FFFFFFFFFFFFFll) | 0x3FE0000000000000ll);
}

// A NaN of the card has all its lower bits set: shifted, they would make a number of it.
FN float scale2(float p, float n) {
    const u32 whole = __float_as_uint(n + 12582912.0f) - 0x4B400000u;
    return n == n ? __uint_as_float(__float_as_uint(p) + (whole << 23)) : n;
}

FN float exponent(float x) { return (float)(int)((__float_as_uint(x) >> 23) & 0xFF) - 126.0f; }

FN float mantissa(float x) { return __uint_as_float((__float_as_uint(x) & 0x7FFFFF) | 0x3F000000u); }

template <class T> FN T least(T a, T b) { return b < a ? b : a; }
template <class T> FN T most(T a, T b) { return b > a ? b : a; }

// ---- operations of ir/ops.py -----------------------------------------------------------------------------

template <class T> FN T minimum(T a, T b) { return a < b ? a : b; }
template <class T> FN T maximum(T a, T b) { return a > b ? a : b; }
template <class T> FN T square(T a) { return a * a; }
template <class T> FN T sign(T a) { return (T)(a > (T)0) - (T)(a < (T)0); }

FN double lookup(const double* table, u32 size, double low, double inverse, double energy) {
    const double k = rint((energy - low) * inverse);
    return table[(u32)minimum(maximum(k, 0.0), (double)(size - 1))];
}

// ---- float32 ---------------------------------------------------------------------------------------------

// 2**x to a relative error of 2^-22, by the margins of `field_printer`; x is held within +-126, NaN stays NaN.
FN float fast_weight2(float x) { return exp2f(least(most(x, -126.0f), 126.0f)); }

// The first 24 bits of a word as a number in [0, 1), at most 2^-24 below `uniform`.
FN float top24(u32 word) { return (float)(word >> 8) * 0x1p-24f; }

// What neighboring replicas have, read or written at once.
template <class T, int width> struct alignas(width * sizeof(T)) Team {
    T of[width];
};

// ---- tables ----------------------------------------------------------------------------------------------

// Entry (d, k) of a table of n ranks: where the entries of 16 neighboring ranks follow each other, their first one
// is known, with the highest bit set, and the table is not read.
FN u32 follower(const u32* bases, const u32* table, u32 n, u32 d, u32 k) {
    const u32 base = bases[(u64)d * ((n + 15) / 16) + k / 16];
    return base >> 31 ? (base & 0x7FFFFFFF) + k % 16 : table[(u64)d * n + k];
}
