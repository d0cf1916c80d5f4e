// Two-valued heat bath from a field in float32, as in numba_cpu/verdicts.py: 1 for the high value, 0 for the low one.

#define CLOSE 2

FN u32 verdict(float x, float slack, u32 word) {
    x = least(most(x, -126.0f), 126.0f);
    const float z = fast_weight2(x);
    const float u = ((float)word + 0.5f) * 0x1p-32f;
    const float d = fmaf(u, z, u) - 1.0f;
    const float bound = fmaf(minimum(z, 1.0f), fmaf(fabsf(x), BY_EXPONENT, slack), ALWAYS);
    return d > bound ? 1 : d < -bound ? 0 : CLOSE;
}

// Any order of summation will do. Few threads come here and others wait for them, so many loads are under way.
FN double row_sum(const double* row, const float* bits, u32 n, u64 R) {
    double part[4] = {};
    u32 q = 0;
    for (; q + 32 <= n; q += 32) {
        float bit[32];
#pragma unroll
        for (u32 j = 0; j < 32; ++j) bit[j] = bits[(q + j) * R];
#pragma unroll
        for (u32 j = 0; j < 32; ++j) part[j % 4] += row[q + j] * (double)bit[j];
    }
    for (; q < n; ++q) part[0] += row[q] * (double)bits[q * R];
    return (part[0] + part[1]) + (part[2] + part[3]);
}

FN u32 second_verdict(double e, double error, double beta, u32 word) {
    const double z = el_weight2(-(beta * e) * LOG2E);
    const double d = uniform(word) * (1.0 + z) - 1.0;
    const double slack = WIDER * fabs(beta) * error;
    const double bound = slack <= LARGEST_SLACK ? minimum(z, 1.0) * slack + ALWAYS64 : INFINITE;
    return d > bound ? 1 : d < -bound ? 0 : CLOSE;
}
