package io.pare.exec;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.pare.dnnl.ConvShape;
import java.lang.foreign.MemorySegment;

/**
 * Convolution in plain Java over NCHW and OIHW memory: the oracle of the oneDNN path, and what runs without it.
 *
 * <p>The innermost loop walks along one output row, the only order in which the compiler can vectorise it.
 */
final class PlainConvolution {
    private final ConvShape shape;
    private final int inPerGroup;
    private final int outPerGroup;

    PlainConvolution(ConvShape shape) {
        this.shape = shape;
        this.inPerGroup = shape.ic() / shape.groups();
        this.outPerGroup = shape.oc() / shape.groups();
    }

    /** What one output row does with one input row under one filter tap. */
    private interface RowRule {
        /** The rows hold {@code count} pairs: output {@code out + i}, input {@code in + i * stride}. */
        void apply(long weightAt, long out, long in, int count);
    }

    void forward(MemorySegment x, MemorySegment weight, MemorySegment bias, MemorySegment y) {
        int plane = shape.oh() * shape.ow();
        for (int n = 0; n < shape.n(); n++) {
            for (int oc = 0; oc < shape.oc(); oc++) {
                float start = bias == null ? 0 : bias.getAtIndex(JAVA_FLOAT, oc);
                long at = ((long) n * shape.oc() + oc) * plane;
                for (int i = 0; i < plane; i++) {
                    y.setAtIndex(JAVA_FLOAT, at + i, start);
                }
            }
        }
        int stride = shape.strideW();
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
        int stride = shape.strideW();
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
        int stride = shape.strideW();
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
        int plane = shape.oh() * shape.ow();
        for (int n = 0; n < shape.n(); n++) {
            for (int oc = 0; oc < shape.oc(); oc++) {
                long at = ((long) n * shape.oc() + oc) * plane;
                float sum = 0;
                for (int i = 0; i < plane; i++) {
                    sum += dy.getAtIndex(JAVA_FLOAT, at + i);
                }
                dBias.setAtIndex(JAVA_FLOAT, oc, dBias.getAtIndex(JAVA_FLOAT, oc) + sum);
            }
        }
    }

    private void forEachRow(RowRule rule) {
        for (int n = 0; n < shape.n(); n++) {
            for (int oc = 0; oc < shape.oc(); oc++) {
                int firstIn = oc / outPerGroup * inPerGroup;
                for (int ic = 0; ic < inPerGroup; ic++) {
                    long xPlane = ((long) n * shape.ic() + firstIn + ic) * shape.ih() * shape.iw();
                    long yPlane = ((long) n * shape.oc() + oc) * shape.oh() * shape.ow();
                    long filter = ((long) oc * inPerGroup + ic) * shape.kh() * shape.kw();
                    for (int ky = 0; ky < shape.kh(); ky++) {
                        for (int kx = 0; kx < shape.kw(); kx++) {
                            rows(rule, xPlane, yPlane, filter + (long) ky * shape.kw() + kx, ky, kx);
                        }
                    }
                }
            }
        }
    }

    private void rows(RowRule rule, long xPlane, long yPlane, long weightAt, int ky, int kx) {
        int stride = shape.strideW();
        int shiftX = kx * shape.dilationW() - shape.padW();
        int first = shiftX >= 0 ? 0 : Math.ceilDiv(-shiftX, stride);
        int end = Math.min(shape.ow(), Math.floorDiv(shape.iw() - 1 - shiftX, stride) + 1);
        if (end <= first) {
            return;
        }
        for (int oy = 0; oy < shape.oh(); oy++) {
            int iy = oy * shape.strideH() + ky * shape.dilationH() - shape.padH();
            if (iy >= 0 && iy < shape.ih()) {
                rule.apply(weightAt, yPlane + (long) oy * shape.ow() + first,
                        xPlane + (long) iy * shape.iw() + (long) first * stride + shiftX, end - first);
            }
        }
    }
}
