package io.pare.kernel.simd;

import static io.pare.kernel.simd.Species.F32;
import static io.pare.kernel.simd.Species.F64;
import static io.pare.kernel.simd.Species.I32;
import static io.pare.kernel.simd.Species.LANES;
import static io.pare.mem.direct.Unconfined.MEMORY;
import static io.pare.mem.direct.Unconfined.floats;
import static io.pare.mem.direct.Unconfined.writableFloats;

import io.pare.kernel.Adam;
import io.pare.kernel.Bits;
import io.pare.kernel.Kernels;
import io.pare.kernel.Penalty;
import io.pare.kernel.Sgd;
import io.pare.kernel.scalar.Dropout;
import io.pare.kernel.scalar.ScalarKernels;
import io.pare.mem.direct.Unconfined;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * {@link Kernels} on the Vector API.
 *
 * <p>Each step is a loop over whole vectors, with a tail in the scalar twin. Loops count in {@code int} over blocks,
 * because the JIT optimises {@code long} loops less; offsets are {@code long}. Loops address {@link Unconfined#MEMORY},
 * after a check of each range.
 */
public final class SimdKernels implements Kernels {
    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    /** A constant, because the JIT compiles an access by an unknown layout to a search. */
    private static final ValueLayout.OfShort BITS16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LE);
    /** Elements in a block; a multiple of every vector length. */
    private static final int BLOCK = 1 << 28;

    private final ScalarKernels scalar = new ScalarKernels();

    @Override
    public String name() {
        return "simd(" + Species.BITS + ")";
    }

    /** The part of {@code n} that whole vectors cover. */
    private static long whole(long n) {
        return n - n % LANES;
    }

    private static int block(long whole, long at) {
        return (int) Math.min(BLOCK, whole - at);
    }

    /** Address of the bits of {@code n} elements from {@code at} on, 0 for no mask. */
    private static long bits(Bits mask, long at, int n) {
        return mask == null ? 0 : Unconfined.address(mask.segment(), mask.offset() + at / 8, Bits.bytes(n));
    }

    private static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(F32, MEMORY, address, LE);
    }

    @Override
    public void axpy(float a, MemorySegment x, long xOff, MemorySegment y, long yOff, long n) {
        addScaled(y, yOff, a, x, xOff, y, yOff, n);
    }

    @Override
    public void scale(float a, MemorySegment x, long xOff, long n) {
        long whole = whole(n);
        for (long at = 0; at < whole; at += BLOCK) {
            int count = block(whole, at);
            scaleBlock(a, writableFloats(x, xOff + at * Float.BYTES, count), count);
        }
        scalar.scale(a, x, xOff + whole * Float.BYTES, n - whole);
    }

    private static void scaleBlock(float a, long x, int n) {
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            load(x + o).mul(a).intoMemorySegment(MEMORY, x + o, LE);
        }
    }

    @Override
    public void add(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff, long n) {
        long whole = whole(n);
        for (long at = 0; at < whole; at += BLOCK) {
            long o = at * Float.BYTES;
            int count = block(whole, at);
            addBlock(floats(x, xOff + o, count), floats(y, yOff + o, count), writableFloats(z, zOff + o, count), count);
        }
        long o = whole * Float.BYTES;
        scalar.add(x, xOff + o, y, yOff + o, z, zOff + o, n - whole);
    }

    private static void addBlock(long x, long y, long z, int n) {
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            load(x + o).add(load(y + o)).intoMemorySegment(MEMORY, z + o, LE);
        }
    }

    @Override
    public void subtract(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff,
            long n) {
        long whole = whole(n);
        for (long at = 0; at < whole; at += BLOCK) {
            long o = at * Float.BYTES;
            int count = block(whole, at);
            subtractBlock(floats(x, xOff + o, count), floats(y, yOff + o, count), writableFloats(z, zOff + o, count),
                    count);
        }
        long o = whole * Float.BYTES;
        scalar.subtract(x, xOff + o, y, yOff + o, z, zOff + o, n - whole);
    }

    private static void subtractBlock(long x, long y, long z, int n) {
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            load(x + o).sub(load(y + o)).intoMemorySegment(MEMORY, z + o, LE);
        }
    }

    @Override
    public void multiply(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff,
            long n) {
        long whole = whole(n);
        for (long at = 0; at < whole; at += BLOCK) {
            long o = at * Float.BYTES;
            int count = block(whole, at);
            multiplyBlock(floats(x, xOff + o, count), floats(y, yOff + o, count), writableFloats(z, zOff + o, count),
                    count);
        }
        long o = whole * Float.BYTES;
        scalar.multiply(x, xOff + o, y, yOff + o, z, zOff + o, n - whole);
    }

    private static void multiplyBlock(long x, long y, long z, int n) {
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            load(x + o).mul(load(y + o)).intoMemorySegment(MEMORY, z + o, LE);
        }
    }

    @Override
    public void addScaled(MemorySegment x, long xOff, float a, MemorySegment y, long yOff, MemorySegment z, long zOff,
            long n) {
        long whole = whole(n);
        for (long at = 0; at < whole; at += BLOCK) {
            long o = at * Float.BYTES;
            int count = block(whole, at);
            addScaledBlock(floats(x, xOff + o, count), a, floats(y, yOff + o, count),
                    writableFloats(z, zOff + o, count), count);
        }
        long o = whole * Float.BYTES;
        scalar.addScaled(x, xOff + o, a, y, yOff + o, z, zOff + o, n - whole);
    }

    private static void addScaledBlock(long x, float a, long y, long z, int n) {
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            load(x + o).add(load(y + o).mul(a)).intoMemorySegment(MEMORY, z + o, LE);
        }
    }

    @Override
    public void fill(float a, MemorySegment x, long xOff, long n) {
        if (Float.floatToRawIntBits(a) == 0) {
            x.asSlice(xOff, n * Float.BYTES).fill((byte) 0);
            return;
        }
        long whole = whole(n);
        for (long at = 0; at < whole; at += BLOCK) {
            int count = block(whole, at);
            fillBlock(a, writableFloats(x, xOff + at * Float.BYTES, count), count);
        }
        scalar.fill(a, x, xOff + whole * Float.BYTES, n - whole);
    }

    private static void fillBlock(float a, long x, int n) {
        FloatVector value = FloatVector.broadcast(F32, a);
        for (int i = 0; i < n; i += LANES) {
            value.intoMemorySegment(MEMORY, x + (long) i * Float.BYTES, LE);
        }
    }

    @Override
    public double dot(MemorySegment x, long xOff, MemorySegment y, long yOff, long n) {
        long whole = n - n % (2 * LANES);
        double sum = 0;
        for (long at = 0; at < whole; at += BLOCK) {
            long o = at * Float.BYTES;
            int count = block(whole, at);
            sum += dotBlock(floats(x, xOff + o, count), floats(y, yOff + o, count), count);
        }
        long o = whole * Float.BYTES;
        return sum + scalar.dot(x, xOff + o, y, yOff + o, n - whole);
    }

    /** Four accumulators: the latency of an addition is four cycles, and a loop step has four of them. */
    private static double dotBlock(long x, long y, int n) {
        DoubleVector sum0 = DoubleVector.zero(F64);
        DoubleVector sum1 = sum0;
        DoubleVector sum2 = sum0;
        DoubleVector sum3 = sum0;
        for (int i = 0; i < n; i += 2 * LANES) {
            long o = (long) i * Float.BYTES;
            FloatVector x0 = load(x + o);
            FloatVector y0 = load(y + o);
            FloatVector x1 = load(x + o + (long) LANES * Float.BYTES);
            FloatVector y1 = load(y + o + (long) LANES * Float.BYTES);
            sum0 = widen(x0, 0).mul(widen(y0, 0)).add(sum0);
            sum1 = widen(x0, 1).mul(widen(y0, 1)).add(sum1);
            sum2 = widen(x1, 0).mul(widen(y1, 0)).add(sum2);
            sum3 = widen(x1, 1).mul(widen(y1, 1)).add(sum3);
        }
        return Lanes.sum(sum0.add(sum1).add(sum2.add(sum3)));
    }

    private static DoubleVector widen(FloatVector v, int part) {
        return (DoubleVector) v.convertShape(VectorOperators.F2D, F64, part);
    }

    @Override
    public double sumOfSquares(MemorySegment x, long xOff, long n) {
        return dot(x, xOff, x, xOff, n);
    }

    @Override
    public void reluForward(MemorySegment x, long xOff, MemorySegment y, long yOff, long n) {
        reluBackward(x, xOff, x, xOff, y, yOff, n);
    }

    @Override
    public void reluBackward(MemorySegment y, long yOff, MemorySegment dy, long dyOff, MemorySegment dx, long dxOff,
            long n) {
        long whole = whole(n);
        for (long at = 0; at < whole; at += BLOCK) {
            long o = at * Float.BYTES;
            int count = block(whole, at);
            whereAboveZeroBlock(floats(y, yOff + o, count), floats(dy, dyOff + o, count),
                    writableFloats(dx, dxOff + o, count), count);
        }
        long o = whole * Float.BYTES;
        scalar.reluBackward(y, yOff + o, dy, dyOff + o, dx, dxOff + o, n - whole);
    }

    private static void whereAboveZeroBlock(long y, long dy, long dx, int n) {
        FloatVector zero = FloatVector.zero(F32);
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            VectorMask<Float> alive = load(y + o).compare(VectorOperators.GT, zero);
            zero.blend(load(dy + o), alive).intoMemorySegment(MEMORY, dx + o, LE);
        }
    }

    @Override
    public void biasAddRows(MemorySegment bias, long biasOff, MemorySegment x, long xOff, long rows, long columns) {
        for (long r = 0; r < rows; r++) {
            long row = xOff + r * columns * Float.BYTES;
            add(x, row, bias, biasOff, x, row, columns);
        }
    }

    @Override
    public void columnSums(MemorySegment x, long xOff, long rows, long columns, MemorySegment sums, long sumsOff) {
        fill(0, sums, sumsOff, columns);
        for (long r = 0; r < rows; r++) {
            add(sums, sumsOff, x, xOff + r * columns * Float.BYTES, sums, sumsOff, columns);
        }
    }

    @Override
    public void dropout(MemorySegment x, long xOff, MemorySegment y, long yOff, long n, float rate, long seed,
            long counter) {
        int threshold = Dropout.threshold(rate);
        float keep = 1 / (1 - rate);
        int lowKey = Dropout.lowKey(seed);
        long at = 0;
        while (n - at >= LANES) {
            // The key of the second round changes where the low half of the counter wraps: the twin does such a vector.
            long first = counter + at;
            long untilWrap = (1L << 32) - (first & 0xffff_ffffL);
            int count = (int) (Math.min(Math.min(n - at, untilWrap), BLOCK) / LANES * LANES);
            long o = at * Float.BYTES;
            if (count == 0) {
                scalar.dropout(x, xOff + o, y, yOff + o, LANES, rate, seed, first);
                at += LANES;
            } else {
                dropoutBlock(floats(x, xOff + o, count), writableFloats(y, yOff + o, count), count, threshold, keep,
                        (int) first,
                        lowKey,
                        Dropout.highKey(seed, first));
                at += count;
            }
        }
        long o = at * Float.BYTES;
        scalar.dropout(x, xOff + o, y, yOff + o, n - at, rate, seed, counter + at);
    }

    private static void dropoutBlock(long x, long y, int n, int threshold, float keep, int counter, int lowKey,
            int highKey) {
        FloatVector zero = FloatVector.zero(F32);
        IntVector numbers = IntVector.zero(I32).addIndex(1);
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            IntVector h = mix(numbers.add(counter + i).lanewise(VectorOperators.XOR, lowKey));
            h = mix(h.lanewise(VectorOperators.XOR, highKey)).lanewise(VectorOperators.LSHR, 8);
            VectorMask<Float> kept = h.compare(VectorOperators.GE, threshold).cast(F32);
            zero.blend(load(x + o).mul(keep), kept).intoMemorySegment(MEMORY, y + o, LE);
        }
    }

    private static IntVector mix(IntVector x) {
        IntVector h = x.lanewise(VectorOperators.XOR, x.lanewise(VectorOperators.LSHR, 16)).mul(Dropout.M1);
        h = h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 15)).mul(Dropout.M2);
        return h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 16));
    }

    /** The scalar twin: rows are short (the classes of a task), and the time goes into the exponentials. */
    @Override
    public double softmaxCrossEntropy(MemorySegment logits, long logitsOff, MemorySegment labels, long labelsOff,
            long rows, int classes, float scale, MemorySegment gradient, long gradientOff) {
        return scalar.softmaxCrossEntropy(logits, logitsOff, labels, labelsOff, rows, classes, scale, gradient,
                gradientOff);
    }

    @Override
    public long countCorrect(MemorySegment logits, long logitsOff, MemorySegment labels, long labelsOff, long rows,
            int classes, int top) {
        return scalar.countCorrect(logits, logitsOff, labels, labelsOff, rows, classes, top);
    }

    /** Bits of one vector, from element {@code i}, a multiple of the vector length; no other bit is set. */
    private static long word(long bits, int i) {
        long at = bits + (i >>> 3);
        return switch (LANES) {
            case 16 -> MEMORY.get(BITS16, at) & 0xffffL;
            case 8 -> MEMORY.get(ValueLayout.JAVA_BYTE, at) & 0xffL;
            default -> MEMORY.get(ValueLayout.JAVA_BYTE, at) >>> (i & 4) & 0xf;
        };
    }

    @Override
    public void sgd(Sgd settings, float rate, MemorySegment w, long wOff, MemorySegment g, long gOff,
            MemorySegment velocity, long velocityOff, long n, Penalty penalty, Bits mask) {
        long whole = whole(n);
        for (long at = 0; at < whole; at += BLOCK) {
            long o = at * Float.BYTES;
            int count = block(whole, at);
            long weights = writableFloats(w, wOff + o, count);
            long gradients = floats(g, gOff + o, count);
            // Absent operands are replaced by a present range, whose product with 0 is never taken.
            long v = velocity == null ? weights : writableFloats(velocity, velocityOff + o, count);
            if (penalty == null && mask == null) {
                sgdBlock(settings.momentum(), settings.decay(), settings.nesterov(), rate, weights, gradients,
                        velocity != null, v, count);
            } else {
                boolean pulled = penalty != null;
                sgdAdmmBlock(settings.momentum(), settings.decay(), settings.nesterov(), rate, weights, gradients,
                        velocity != null, v, pulled,
                        pulled ? floats(penalty.z(), penalty.zOffset() + o, count) : weights,
                        pulled ? floats(penalty.u(), penalty.uOffset() + o, count) : weights,
                        pulled ? penalty.rho() : 0,
                        bits(mask, at, count), count);
            }
        }
        ScalarKernels.sgdRange(settings, rate, w, wOff, g, gOff, velocity, velocityOff, whole, n, penalty, mask);
    }

    private static void sgdBlock(float momentum, float decay, boolean nesterov, float rate, long w, long g,
            boolean moving, long velocity, int n) {
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            FloatVector weight = load(w + o);
            FloatVector gradient = load(g + o).add(weight.mul(decay));
            if (moving) {
                FloatVector v = load(velocity + o).mul(momentum).add(gradient);
                v.intoMemorySegment(MEMORY, velocity + o, LE);
                gradient = nesterov ? gradient.add(v.mul(momentum)) : v;
            }
            weight.sub(gradient.mul(rate)).intoMemorySegment(MEMORY, w + o, LE);
        }
    }

    private static void sgdAdmmBlock(float momentum, float decay, boolean nesterov, float rate, long w, long g,
            boolean moving, long velocity, boolean pulled, long z, long u, float rho, long mask, int n) {
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            long word = mask == 0 ? -1 : word(mask, i);
            if (word == 0) {
                continue;
            }
            VectorMask<Float> alive = VectorMask.fromLong(F32, word);
            FloatVector weight = load(w + o);
            FloatVector gradient = load(g + o).add(weight.mul(decay));
            if (pulled) {
                gradient = gradient.add(weight.sub(load(z + o)).add(load(u + o)).mul(rho));
            }
            if (moving) {
                FloatVector last = load(velocity + o);
                FloatVector v = last.mul(momentum).add(gradient);
                last.blend(v, alive).intoMemorySegment(MEMORY, velocity + o, LE);
                gradient = nesterov ? gradient.add(v.mul(momentum)) : v;
            }
            weight.blend(weight.sub(gradient.mul(rate)), alive).intoMemorySegment(MEMORY, w + o, LE);
        }
    }

    @Override
    public void adam(Adam settings, float rate, long step, MemorySegment w, long wOff, MemorySegment g, long gOff,
            MemorySegment m, long mOff, MemorySegment v, long vOff, long n, Penalty penalty, Bits mask) {
        float fix1 = ScalarKernels.correction(settings.beta1(), step);
        float fix2 = ScalarKernels.correction(settings.beta2(), step);
        float shrink = settings.decoupled() ? 1 - rate * settings.decay() : 1;
        float coupled = settings.decoupled() ? 0 : settings.decay();
        boolean pulled = penalty != null;
        long whole = whole(n);
        for (long at = 0; at < whole; at += BLOCK) {
            long o = at * Float.BYTES;
            int count = block(whole, at);
            long weights = writableFloats(w, wOff + o, count);
            adamBlock(settings.beta1(), settings.beta2(), settings.epsilon(), fix1, fix2, shrink, coupled, rate,
                    weights, floats(g, gOff + o, count), writableFloats(m, mOff + o, count),
                    writableFloats(v, vOff + o, count), pulled,
                    pulled ? floats(penalty.z(), penalty.zOffset() + o, count) : weights,
                    pulled ? floats(penalty.u(), penalty.uOffset() + o, count) : weights, pulled ? penalty.rho() : 0,
                    bits(mask, at, count), count);
        }
        ScalarKernels.adamRange(settings, rate, step, w, wOff, g, gOff, m, mOff, v, vOff, whole, n, penalty, mask);
    }

    private static void adamBlock(float beta1, float beta2, float epsilon, float fix1, float fix2, float shrink,
            float coupled, float rate, long w, long g, long m, long v, boolean pulled, long z, long u, float rho,
            long mask, int n) {
        VectorMask<Float> pull = F32.maskAll(pulled);
        float rest1 = 1 - beta1;
        float rest2 = 1 - beta2;
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            long word = mask == 0 ? -1 : word(mask, i);
            if (word == 0) {
                continue;
            }
            VectorMask<Float> alive = VectorMask.fromLong(F32, word);
            FloatVector weight = load(w + o);
            FloatVector gradient = load(g + o).add(weight.mul(coupled));
            // No branch: a vector that comes from one of two branches is not always kept in a register.
            gradient = gradient.add(weight.sub(load(z + o)).add(load(u + o)).mul(rho), pull);
            FloatVector m0 = load(m + o);
            FloatVector v0 = load(v + o);
            FloatVector m1 = m0.mul(beta1).add(gradient.mul(rest1));
            FloatVector v1 = v0.mul(beta2).add(gradient.mul(gradient).mul(rest2));
            m0.blend(m1, alive).intoMemorySegment(MEMORY, m + o, LE);
            v0.blend(v1, alive).intoMemorySegment(MEMORY, v + o, LE);
            FloatVector size = v1.mul(fix2).sqrt().add(epsilon);
            FloatVector moved = weight.mul(shrink).sub(m1.mul(fix1).mul(rate).div(size));
            weight.blend(moved, alive).intoMemorySegment(MEMORY, w + o, LE);
        }
    }

    @Override
    public void applyMask(Bits mask, MemorySegment x, long xOff, long n) {
        long whole = whole(n);
        for (long at = 0; at < whole; at += BLOCK) {
            int count = block(whole, at);
            applyMaskBlock(bits(mask, at, count), writableFloats(x, xOff + at * Float.BYTES, count), count);
        }
        for (long i = whole; i < n; i++) {
            if (!mask.get(i)) {
                x.set(ValueLayout.JAVA_FLOAT.withOrder(LE), xOff + i * Float.BYTES, 0);
            }
        }
    }

    private static void applyMaskBlock(long mask, long x, int n) {
        FloatVector zero = FloatVector.zero(F32);
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            zero.blend(load(x + o), VectorMask.fromLong(F32, word(mask, i)))
                    .intoMemorySegment(MEMORY, x + o, LE);
        }
    }
}
