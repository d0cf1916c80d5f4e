// Words of sites of one system, and how they are read.

typedef u64 word;

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
