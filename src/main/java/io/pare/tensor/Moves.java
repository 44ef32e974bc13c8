package io.pare.tensor;

import io.pare.net.Rearrangement;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * {@link TensorOp.Rearranging}: values that lie side by side in both tensors are copied together. Where they are too few,
 * the values of the last axes are gathered one by one.
 */
final class Moves implements Computation {
    /** Values that are worth a copy. */
    private static final int WORTH = 16;
    /** Values that are gathered in one go, at least, if there are as many. */
    private static final int GATHERED = 64;

    private final Walk outer;
    private final int run;
    /** Distance of each run's first value from where the walk is. */
    private final int start;
    /** For each value of a run the distance from where the walk is, in place of {@link #start}; or {@code null}. */
    private final int[] gathered;
    private final float filler;
    private final int inputSize;
    private final int size;

    Moves(Rearrangement rearrangement, Shape output) {
        int[][] offsets = rearrangement.offsets();
        int axis = offsets.length;
        int first = 0;
        int length = 1;
        int[] each = null;
        while (axis > 0 && goesOn(offsets[axis - 1], length)) {
            first += offsets[--axis][0];
            length *= offsets[axis].length;
        }
        if (length < WORTH) {
            axis = offsets.length;
            each = new int[1];
            while (axis > 0 && each.length < GATHERED) {
                each = combined(offsets[--axis], each);
            }
            length = each.length;
        }
        this.outer = new Walk(new Shape(output.sizes().subList(0, axis)), Arrays.copyOf(offsets, axis));
        this.run = length;
        this.start = first;
        this.gathered = each;
        this.filler = rearrangement.filler();
        this.inputSize = rearrangement.input().features();
        this.size = output.features();
    }

    /** Whether neighbours along an axis lie as far apart as there are values behind each. */
    private static boolean goesOn(int[] offsets, int length) {
        for (int i = 0; i < offsets.length; i++) {
            if (offsets[0] < 0 || offsets[i] != offsets[0] + i * length) {
                return false;
            }
        }
        return true;
    }

    private static int[] combined(int[] offsets, int[] behind) {
        int[] all = new int[Math.multiplyExact(offsets.length, behind.length)];
        for (int i = 0; i < all.length; i++) {
            int before = offsets[i / behind.length];
            int after = behind[i % behind.length];
            all[i] = before < 0 || after < 0 ? Rearrangement.NOTHING : before + after;
        }
        return all;
    }

    @Override
    public Reads reads() {
        return Reads.NOTHING;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        for (int s = 0; s < n; s++) {
            long in = (long) s * inputSize;
            long out = (long) s * size;
            outer.run((at, from) -> {
                long target = out + (long) at * run;
                if (from[0] < 0) {
                    Floats.fill(y.asSlice(target * Float.BYTES, (long) run * Float.BYTES), filler);
                } else if (gathered == null) {
                    Floats.copy(x[0], in + from[0] + start, y, target, run);
                } else {
                    gather(x[0], in + from[0], y, target);
                }
            });
        }
    }

    private void gather(MemorySegment x, long from, MemorySegment y, long to) {
        float[] block = Blocks.mine()[0];
        for (int first = 0; first < run; first += Blocks.SIZE) {
            int count = Math.min(Blocks.SIZE, run - first);
            for (int i = 0; i < count; i++) {
                int distance = gathered[first + i];
                block[i] = distance < 0 ? filler : Floats.get(x, from + distance);
            }
            Blocks.store(block, y, to + first, count);
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        Floats.clear(dx[0], (long) n * inputSize);
        for (int s = 0; s < n; s++) {
            long in = (long) s * inputSize;
            long out = (long) s * size;
            outer.run((at, from) -> {
                if (from[0] >= 0) {
                    addBack(dy, out + (long) at * run, dx[0], in + from[0]);
                }
            });
        }
    }

    private void addBack(MemorySegment dy, long from, MemorySegment dx, long to) {
        float[] block = Blocks.mine()[0];
        float[] room = Blocks.mine()[1];
        for (int first = 0; first < run; first += Blocks.SIZE) {
            int count = Math.min(Blocks.SIZE, run - first);
            Blocks.load(dy, from + first, block, count);
            if (gathered == null) {
                Blocks.addTo(dx, to + start + first, true, block, room, count);
            } else {
                for (int i = 0; i < count; i++) {
                    if (gathered[first + i] >= 0) {
                        Floats.add(dx, to + gathered[first + i], block[i]);
                    }
                }
            }
        }
    }
}
