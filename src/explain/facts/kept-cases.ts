/**
 * Cases of which what was derived is kept; of the others it is derived again when it is asked for. Of a hundred thousand
 * it would not fit into memory, and what has grown old costs the garbage collector most: so many are let go before it has
 * copied them twice.
 */
export const KEPT_CASES = 48;
