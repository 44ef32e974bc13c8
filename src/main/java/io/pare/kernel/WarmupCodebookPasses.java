package io.pare.kernel;

import io.pare.kernel.passes.CodebookPasses;
import java.lang.foreign.MemorySegment;

/** {@link CodebookPasses} by vectors as soon as those are compiled: see {@link Warmup}. */
final class WarmupCodebookPasses implements CodebookPasses {
    private final CodebookPasses vectors;
    private final CodebookPasses plain;
    // Small codebooks have loops of their own. What is small is up to the vectors, so each size up to theirs is apart.
    private final Warmup[] assign = {new Warmup(), new Warmup(), new Warmup(), new Warmup()};
    private final Warmup[] zones = {new Warmup(), new Warmup(), new Warmup(), new Warmup()};

    WarmupCodebookPasses(CodebookPasses vectors, CodebookPasses plain) {
        this.vectors = vectors;
        this.plain = plain;
    }

    private static Warmup bySize(Warmup[] all, int size) {
        return all[size <= 4 ? 0 : size <= 8 ? 1 : size <= 16 ? 2 : 3];
    }

    private CodebookPasses of(Warmup.Slices slice) {
        return slice.vectors ? vectors : plain;
    }

    @Override
    public void assign(MemorySegment x, long xOff, int n, float[] codebook, float[] cuts, int size,
            MemorySegment values, long valuesOff, MemorySegment codes, long codesOff, double[] sums) {
        Warmup warmup = bySize(assign, size);
        if (warmup.done()) {
            vectors.assign(x, xOff, n, codebook, cuts, size, values, valuesOff, codes, codesOff, sums);
            return;
        }
        for (Warmup.Slices slice = warmup.slices(n); slice.next();) {
            long o = (long) slice.from * Float.BYTES;
            of(slice).assign(x, xOff + o, slice.count, codebook, cuts, size, values, valuesOff + o, codes,
                    codesOff + slice.from, sums);
        }
    }

    @Override
    public int zones(MemorySegment x, long xOff, int n, float[] cuts, float[] zoneFrom, float[] zoneTo, int size,
            float scale, long[] sums, double[] squares, int[] survey, MemorySegment zoned, long at) {
        Warmup warmup = bySize(zones, size);
        if (warmup.done()) {
            return vectors.zones(x, xOff, n, cuts, zoneFrom, zoneTo, size, scale, sums, squares, survey, zoned, at);
        }
        int found = 0;
        int greatest = 0;
        for (Warmup.Slices slice = warmup.slices(n); slice.next();) {
            found += of(slice).zones(x, xOff + (long) slice.from * Float.BYTES, slice.count, cuts, zoneFrom, zoneTo,
                    size, scale, sums, squares, survey, zoned, at + found);
            greatest = Math.max(greatest, survey[0]);
        }
        survey[0] = greatest;
        return found;
    }
}
