// Keyed random words, and sets of places that threads join at the same time.

// Word n of a move; see rng.py.
FN u32 keyed_word(u64 key, u64 n) {
    const u64 x = key + (n + 1) * WY_STEP, y = x ^ WY_MIX;
    return (u32)((__umul64hi(x, y) ^ (x * y)) >> 32);
}

// The smallest place of a set. The label of a place is a smaller place of its set, that of the smallest one is
// itself; R lies between the labels of a replica. On the way they get shorter: whatever other threads write
// there, it is a place of the same set.
FN u32 root(volatile u32* label, u32 R, u32 place) {
    for (;;) {
        const u32 up = label[(u64)place * R];
        if (up == place) return place;
        const u32 top = label[(u64)up * R];
        if (top == up) return up;
        label[(u64)place * R] = top;
        place = top;
    }
}

// Make one set of two. Only the root of a set gets a new label, so who loses a race goes on from what won it.
FN void join(u32* label, u32 R, u32 a, u32 b) {
    a = root(label, R, a), b = root(label, R, b);
    while (a != b) {
        const u32 large = most(a, b), small = least(a, b);
        const u32 found = atomicCAS(&label[(u64)large * R], large, small);
        if (found == large) return;
        a = root(label, R, found), b = small;
    }
}

// The power of two by which n numbers, of which the largest has these bits, are multiplied before they are added up as
// whole numbers of 62 bits.
FN double digits(u32 n, u64 largest) {
    return least(62.0 - exponent((double)n) - exponent(__longlong_as_double((i64)largest)), 1000.0);
}
