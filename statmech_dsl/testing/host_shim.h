// CUDA source as host C++: the stages of a kernel by a loop over threads, in either order.
#pragma once
// It includes nothing: a kernel compiles several times faster so.
#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__ __restrict

static unsigned long long shim_threads = 1;
static bool shim_reversed = false;
extern "C" void shim_configure(unsigned long long threads, int reversed) {
    shim_threads = threads;
    shim_reversed = reversed;
}

// Thread t takes the items t, t + threads, ...; the last thread comes first if reversed.
#define EACH(item, n)                                                                                       \
    for (unsigned long long shim_t = 0; shim_t < shim_threads; ++shim_t)                                     \
        for (unsigned long long item = shim_reversed ? shim_threads - 1 - shim_t : shim_t;                    \
             item < (unsigned long long)(n); item += shim_threads)
#define MEET (void)meeting

static inline unsigned __umulhi(unsigned a, unsigned b) { return ((unsigned long long)a * b) >> 32; }
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return ((unsigned __int128)a * b) >> 64;
}
template <class To, class From> static inline To shim_bits(From x) {
    To y;
    __builtin_memcpy(&y, &x, sizeof y);
    return y;
}
static inline long long __double_as_longlong(double x) { return shim_bits<long long>(x); }
static inline double __longlong_as_double(long long x) { return shim_bits<double>(x); }
static inline unsigned __float_as_uint(float x) { return shim_bits<unsigned>(x); }
static inline float __uint_as_float(unsigned x) { return shim_bits<float>(x); }
template <class T> static inline T atomicAdd(T* p, T v) {
    const T before = *p;
    *p = before + v;
    return before;
}
template <class T> static inline T atomicMax(T* p, T v) {
    const T before = *p;
    if (before < v) *p = v;
    return before;
}
template <class T> static inline T atomicCAS(T* p, T expected, T v) {
    const T before = *p;
    if (before == expected) *p = v;
    return before;
}
template <class T> static inline T atomicXor(T* p, T v) {
    const T before = *p;
    *p = before ^ v;
    return before;
}
static inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline int __ffsll(long long x) { return __builtin_ffsll(x); }
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
    const unsigned long long both = a | (unsigned long long)b << 32;
    unsigned out = 0;
    for (int i = 0; i < 4; ++i) out |= (unsigned)(both >> 8 * (selector >> 4 * i & 7) & 255) << 8 * i;
    return out;
}

static inline double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
static inline double fabs(double x) { return __builtin_fabs(x); }
static inline double floor(double x) { return __builtin_floor(x); }
static inline double rint(double x) { return __builtin_rint(x); }
static inline double sqrt(double x) { return __builtin_sqrt(x); }
static inline float fmaf(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static inline float fabsf(float x) { return __builtin_fabsf(x); }
static inline float floorf(float x) { return __builtin_floorf(x); }
static inline float sqrtf(float x) { return __builtin_sqrtf(x); }
static inline float exp2f(float x) { return __builtin_exp2f(x); }
