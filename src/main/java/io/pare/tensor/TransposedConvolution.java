package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import java.lang.foreign.MemorySegment;

/**
 * {@link TensorOp.ConvTranspose}, sample by sample and group by group: a product gives what each pixel adds through each
 * tap, {@code [out / groups * taps, pixels]}, and the taps bring it to its places.
 */
final class TransposedConvolution implements Computation {
    private final TensorOp.ConvTranspose op;
    private final Product product;
    private final Shape input;
    private final Shape output;
    private final int in;
    private final int out;
    /** Taps of all channels of a group's output. */
    private final int taps;
    private final int pixels;

    TransposedConvolution(TensorOp.ConvTranspose op, Shape input, Shape output, Product product) {
        this.op = op;
        this.product = product;
        this.input = input;
        this.output = output;
        this.in = op.in() / op.groups();
        this.out = op.out() / op.groups();
        this.taps = Math.multiplyExact(out, op.window().taps());
        this.pixels = input.height() * input.width();
    }

    @Override
    public Reads reads() {
        return Reads.INPUTS;
    }

    @Override
    public long scratchBytes(int n) {
        return (long) taps * pixels * Float.BYTES;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        fill(n, y, op.bias() ? x[2] : null);
        for (int s = 0; s < n; s++) {
            for (int group = 0; group < op.groups(); group++) {
                product.sgemm(true, false, taps, pixels, in, 1, weights(x[1], group), taps, inputs(x[0], s, group),
                        pixels, 0, scratch, pixels);
                exchange(scratch, y, firstOutput(s, group), true);
            }
        }
    }

    private void fill(int n, MemorySegment y, MemorySegment bias) {
        int plane = output.height() * output.width();
        for (int image = 0; image < n * op.out(); image++) {
            MemorySegment all = y.asSlice((long) image * plane * Float.BYTES, (long) plane * Float.BYTES);
            Floats.fill(all, bias == null ? 0 : Floats.get(bias, image % op.out()));
        }
    }

    private MemorySegment weights(MemorySegment all, int group) {
        return Floats.from(all, (long) group * in * taps);
    }

    private MemorySegment inputs(MemorySegment all, int sample, int group) {
        return Floats.from(all, (long) sample * input.features() + (long) group * in * pixels);
    }

    private long firstOutput(int sample, int group) {
        return (long) sample * output.features() + (long) group * out * output.height() * output.width();
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        if (dx[1] != null) {
            Floats.clear(dx[1], (long) op.in() * taps);
        }
        for (int s = 0; s < n; s++) {
            for (int group = 0; group < op.groups(); group++) {
                Floats.clear(scratch, (long) taps * pixels);
                exchange(scratch, dy, firstOutput(s, group), false);
                if (dx[0] != null) {
                    product.sgemm(false, false, in, pixels, taps, 1, weights(x[1], group), taps, scratch, pixels, 0,
                            inputs(dx[0], s, group), pixels);
                }
                if (dx[1] != null) {
                    product.sgemm(false, true, in, taps, pixels, 1, inputs(x[0], s, group), pixels, scratch, pixels, 1,
                            weights(dx[1], group), taps);
                }
            }
        }
        if (op.bias() && dx[2] != null) {
            biasGradient(n, dy, dx[2]);
        }
    }

    private void biasGradient(int n, MemorySegment dy, MemorySegment gradient) {
        int plane = output.height() * output.width();
        for (int channel = 0; channel < op.out(); channel++) {
            double sum = 0;
            for (int s = 0; s < n; s++) {
                long start = (long) s * output.features() + (long) channel * plane;
                for (int i = 0; i < plane; i++) {
                    sum += Floats.get(dy, start + i);
                }
            }
            Floats.set(gradient, channel, sum);
        }
    }

    /**
     * Adds the tap's values to the images of a group, or copies them back to where the images have them.
     *
     * @param columns {@code [out / groups * taps, pixels]}
     * @param first index of the group's first value
     */
    private void exchange(MemorySegment columns, MemorySegment images, long first, boolean adds) {
        Window window = op.window();
        int height = output.height();
        for (int tap = 0; tap < taps; tap++) {
            int kx = tap % window.kernelWidth();
            int ky = tap / window.kernelWidth() % window.kernelHeight();
            long plane = first + (long) (tap / window.taps()) * height * output.width();
            for (int row = 0; row < input.height(); row++) {
                long to = (long) row * window.strideHeight() - window.top() + (long) ky * window.dilationHeight();
                if (to >= 0 && to < height) {
                    exchangeRow(columns, (long) tap * pixels + (long) row * input.width(), images,
                            plane + to * output.width(), (long) kx * window.dilationWidth() - window.left(), adds);
                }
            }
        }
    }

    /** @param shift column of the image to which the first of the row goes */
    private void exchangeRow(MemorySegment columns, long from, MemorySegment images, long to, long shift,
            boolean adds) {
        int stride = op.window().strideWidth();
        float[] column = Blocks.mine()[0];
        float[] image = Blocks.mine()[1];
        int start = (int) Math.min(input.width(), shift >= 0 ? 0 : Math.ceilDiv(-shift, stride));
        int end = (int) Math.min(input.width(), Math.floorDiv(output.width() - 1 - shift, stride) + 1);
        int most = (Blocks.SIZE - 1) / stride + 1;
        for (int at = start; at < end; at += most) {
            int count = Math.min(most, end - at);
            int span = (count - 1) * stride + 1;
            long there = to + shift + (long) at * stride;
            Blocks.load(images, there, image, span);
            if (adds) {
                Blocks.load(columns, from + at, column, count);
                for (int i = 0; i < count; i++) {
                    image[i * stride] += column[i];
                }
                Blocks.store(image, images, there, span);
            } else {
                for (int i = 0; i < count; i++) {
                    column[i] = image[i * stride];
                }
                Blocks.store(column, columns, from + at, count);
            }
        }
    }
}
