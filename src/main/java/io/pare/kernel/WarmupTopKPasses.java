package io.pare.kernel;

import io.pare.kernel.passes.SelectPasses;
import io.pare.kernel.passes.TopKPasses;
import java.lang.foreign.MemorySegment;

/** {@link TopKPasses} by vectors as soon as those are compiled: see {@link Warmup}. */
final class WarmupTopKPasses implements TopKPasses {
    private final TopKPasses vectors;
    private final TopKPasses plain;
    private final SelectPasses plainSelect;
    private final Warmup speculate = new Warmup();
    private final Warmup speculateBits = new Warmup();
    private final Warmup speculateAdmm = new Warmup();
    private final Warmup mask = new Warmup();
    private final Warmup maskAdmm = new Warmup();
    private final Warmup maskBitsOne = new Warmup();
    private final Warmup maskBitsSum = new Warmup();

    /** @param plainSelect counts ties, likewise in plain Java */
    WarmupTopKPasses(TopKPasses vectors, TopKPasses plain, SelectPasses plainSelect) {
        this.vectors = vectors;
        this.plain = plain;
        this.plainSelect = plainSelect;
    }

    private TopKPasses of(Warmup.Slices slice) {
        return slice.vectors ? vectors : plain;
    }

    @Override
    public int speculate(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int lo, int guess, int hi,
            MemorySegment keys, MemorySegment places, long at, long[] tally, int slot) {
        if (speculate.done()) {
            return vectors.speculate(x, xOff, z, zOff, n, lo, guess, hi, keys, places, at, tally, slot);
        }
        int found = 0;
        long above = 0;
        long max = 0;
        for (Warmup.Slices slice = speculate.slices(n); slice.next();) {
            long o = (long) slice.from * Float.BYTES;
            long out = at + found;
            int more = of(slice).speculate(x, xOff + o, z, zOff + o, slice.count, lo, guess, hi, keys, places, out,
                    tally, slot);
            WarmupSelectPasses.move(places, out, out, more, slice.from);
            found += more;
            above += tally[slot];
            max = Math.max(max, tally[slot + 1]);
        }
        tally[slot] = above;
        tally[slot + 1] = max;
        return found;
    }

    @Override
    public int speculateBits(MemorySegment x, long xOff, MemorySegment bits, long bitsOff, int n, int lo, int guess,
            int hi, MemorySegment keys, MemorySegment places, long at, long[] tally, int slot) {
        if (speculateBits.done()) {
            return vectors.speculateBits(x, xOff, bits, bitsOff, n, lo, guess, hi, keys, places, at, tally, slot);
        }
        int found = 0;
        long above = 0;
        long max = 0;
        for (Warmup.Slices slice = speculateBits.slices(n); slice.next();) {
            long out = at + found;
            int more = of(slice).speculateBits(x, xOff + (long) slice.from * Float.BYTES, bits,
                    bitsOff + slice.from / Byte.SIZE, slice.count, lo, guess, hi, keys, places, out, tally, slot);
            WarmupSelectPasses.move(places, out, out, more, slice.from);
            found += more;
            above += tally[slot];
            max = Math.max(max, tally[slot + 1]);
        }
        tally[slot] = above;
        tally[slot + 1] = max;
        return found;
    }

    @Override
    public int speculateAdmm(MemorySegment w, long wOff, MemorySegment u, long uOff, MemorySegment z, long zOff, int n,
            int lo, int guess, int hi, MemorySegment keys, MemorySegment places, MemorySegment olds, long at,
            long[] tally, int slot, double[] primal, double[] dual) {
        if (speculateAdmm.done()) {
            return vectors.speculateAdmm(w, wOff, u, uOff, z, zOff, n, lo, guess, hi, keys, places, olds, at, tally,
                    slot, primal, dual);
        }
        int found = 0;
        long above = 0;
        long max = 0;
        for (Warmup.Slices slice = speculateAdmm.slices(n); slice.next();) {
            long o = (long) slice.from * Float.BYTES;
            long out = at + found;
            int more = of(slice).speculateAdmm(w, wOff + o, u, uOff + o, z, zOff + o, slice.count, lo, guess, hi, keys,
                    places, olds, out, tally, slot, primal, dual);
            WarmupSelectPasses.move(places, out, out, more, slice.from);
            found += more;
            above += tally[slot];
            max = Math.max(max, tally[slot + 1]);
        }
        tally[slot] = above;
        tally[slot + 1] = max;
        return found;
    }

    @Override
    public void mask(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int key, long ties) {
        if (mask.done()) {
            vectors.mask(x, xOff, z, zOff, n, key, ties);
            return;
        }
        long left = ties;
        for (Warmup.Slices slice = mask.slices(n); slice.next();) {
            long o = (long) slice.from * Float.BYTES;
            // Counted before the mask is written, which may be in place.
            long taken = tied(x, xOff + o, null, 0, slice.count, key, left);
            of(slice).mask(x, xOff + o, z, zOff + o, slice.count, key, left);
            left -= taken;
        }
    }

    @Override
    public void maskAdmm(MemorySegment w, long wOff, MemorySegment u, long uOff, MemorySegment z, long zOff, int n,
            int key, long ties, double[] primal, double[] dual) {
        if (maskAdmm.done()) {
            vectors.maskAdmm(w, wOff, u, uOff, z, zOff, n, key, ties, primal, dual);
            return;
        }
        long left = ties;
        for (Warmup.Slices slice = maskAdmm.slices(n); slice.next();) {
            long o = (long) slice.from * Float.BYTES;
            long taken = tied(w, wOff + o, u, uOff + o, slice.count, key, left);
            of(slice).maskAdmm(w, wOff + o, u, uOff + o, z, zOff + o, slice.count, key, left, primal, dual);
            left -= taken;
        }
    }

    @Override
    public void maskBits(MemorySegment x, long xOff, MemorySegment u, long uOff, MemorySegment bits, long bitsOff,
            int n, int key, long ties) {
        Warmup warmup = u == null ? maskBitsOne : maskBitsSum;
        if (warmup.done()) {
            vectors.maskBits(x, xOff, u, uOff, bits, bitsOff, n, key, ties);
            return;
        }
        long left = ties;
        for (Warmup.Slices slice = warmup.slices(n); slice.next();) {
            long o = (long) slice.from * Float.BYTES;
            of(slice).maskBits(x, xOff + o, u, uOff + o, bits, bitsOff + slice.from / Byte.SIZE, slice.count, key,
                    left);
            left -= tied(x, xOff + o, u, uOff + o, slice.count, key, left);
        }
    }

    /** How many of the {@code left} ties that survive lie in a slice. */
    private long tied(MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int key, long left) {
        if (left == 0) {
            return 0;
        }
        long[] counts = new long[4];
        plainSelect.count(x, xOff, u, uOff, n, key, key + 1, key + 1, key + 1, counts, 0);
        return Math.min(left, counts[0] - counts[1]);
    }
}
