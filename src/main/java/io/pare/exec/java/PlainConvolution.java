package io.pare.exec.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.pare.exec.Value;
import io.pare.net.Op;
import io.pare.net.Window;
import java.lang.foreign.MemorySegment;

/**
 * Convolution in plain Java over NCHW and OIHW memory: the oracle of the oneDNN path, and what runs without it.
 *
 * <p>The innermost loop walks along one output row, the only order in which the compiler can vectorise it.
 */
final class PlainConvolution {
    private final Op.Conv2d op;
    private final Window window;
    private final int images;
    private final int ih;
    private final int iw;
    private final int oh;
    private final int ow;
    private final int inPerGroup;
    private final int outPerGroup;

    PlainConvolution(Op.Conv2d op, Value x, Value y) {
        this.op = op;
        this.window = op.window();
        this.images = x.size(0);
        this.ih = x.size(2);
        this.iw = x.size(3);
        this.oh = y.size(2);
        this.ow = y.size(3);
        this.inPerGroup = op.in() / op.groups();
        this.outPerGroup = op.out() / op.groups();
    }

    /** What one output row does with one input row under one filter tap. */
    private interface RowRule {
        /** The rows hold {@code count} pairs: output {@code out + i}, input {@code in + i * stride}. */
        void apply(long weightAt, long out, long in, int count);
    }

    void forward(MemorySegment x, MemorySegment weight, MemorySegment bias, MemorySegment y) {
        int plane = oh * ow;
        for (int n = 0; n < images; n++) {
            for (int oc = 0; oc < op.out(); oc++) {
                float start = bias == null ? 0 : bias.getAtIndex(JAVA_FLOAT, oc);
                long at = ((long) n * op.out() + oc) * plane;
                for (int i = 0; i < plane; i++) {
                    y.setAtIndex(JAVA_FLOAT, at + i, start);
                }
            }
        }
        int stride = window.strideWidth();
        forEachRow((weightAt, out, in, count) -> {
            float w = weight.getAtIndex(JAVA_FLOAT, weightAt);
            for (int i = 0; i < count; i++) {
                y.setAtIndex(JAVA_FLOAT, out + i, y.getAtIndex(JAVA_FLOAT, out + i)
                        + w * x.getAtIndex(JAVA_FLOAT, in + (long) i * stride));
            }
        });
    }

    void backwardData(MemorySegment dy, MemorySegment weight, MemorySegment dx) {
        dx.fill((byte) 0);
        int stride = window.strideWidth();
        forEachRow((weightAt, out, in, count) -> {
            float w = weight.getAtIndex(JAVA_FLOAT, weightAt);
            for (int i = 0; i < count; i++) {
                long at = in + (long) i * stride;
                dx.setAtIndex(JAVA_FLOAT, at,
                        dx.getAtIndex(JAVA_FLOAT, at) + w * dy.getAtIndex(JAVA_FLOAT, out + i));
            }
        });
    }

    void backwardWeights(MemorySegment x, MemorySegment dy, MemorySegment dWeight, MemorySegment dBias) {
        dWeight.fill((byte) 0);
        if (dBias != null) {
            planeSums(dy, dBias);
        }
        int stride = window.strideWidth();
        forEachRow((weightAt, out, in, count) -> {
            float sum = 0;
            for (int i = 0; i < count; i++) {
                sum += dy.getAtIndex(JAVA_FLOAT, out + i) * x.getAtIndex(JAVA_FLOAT, in + (long) i * stride);
            }
            dWeight.setAtIndex(JAVA_FLOAT, weightAt, dWeight.getAtIndex(JAVA_FLOAT, weightAt) + sum);
        });
    }

    private void planeSums(MemorySegment dy, MemorySegment dBias) {
        dBias.fill((byte) 0);
        int plane = oh * ow;
        for (int n = 0; n < images; n++) {
            for (int oc = 0; oc < op.out(); oc++) {
                long at = ((long) n * op.out() + oc) * plane;
                float sum = 0;
                for (int i = 0; i < plane; i++) {
                    sum += dy.getAtIndex(JAVA_FLOAT, at + i);
                }
                dBias.setAtIndex(JAVA_FLOAT, oc, dBias.getAtIndex(JAVA_FLOAT, oc) + sum);
            }
        }
    }

    private void forEachRow(RowRule rule) {
        for (int n = 0; n < images; n++) {
            for (int oc = 0; oc < op.out(); oc++) {
                int firstIn = oc / outPerGroup * inPerGroup;
                for (int ic = 0; ic < inPerGroup; ic++) {
                    long xPlane = ((long) n * op.in() + firstIn + ic) * ih * iw;
                    long yPlane = ((long) n * op.out() + oc) * oh * ow;
                    long filter = ((long) oc * inPerGroup + ic) * window.kernelHeight() * window.kernelWidth();
                    for (int ky = 0; ky < window.kernelHeight(); ky++) {
                        for (int kx = 0; kx < window.kernelWidth(); kx++) {
                            rows(rule, xPlane, yPlane, filter + (long) ky * window.kernelWidth() + kx, ky, kx);
                        }
                    }
                }
            }
        }
    }

    private void rows(RowRule rule, long xPlane, long yPlane, long weightAt, int ky, int kx) {
        int stride = window.strideWidth();
        int shiftX = kx * window.dilationWidth() - window.left();
        int first = shiftX >= 0 ? 0 : Math.ceilDiv(-shiftX, stride);
        int end = Math.min(ow, Math.floorDiv(iw - 1 - shiftX, stride) + 1);
        if (end <= first) {
            return;
        }
        for (int oy = 0; oy < oh; oy++) {
            int iy = oy * window.strideHeight() + ky * window.dilationHeight() - window.top();
            if (iy >= 0 && iy < ih) {
                rule.apply(weightAt, yPlane + (long) oy * ow + first,
                        xPlane + (long) iy * iw + (long) first * stride + shiftX, end - first);
            }
        }
    }
}
