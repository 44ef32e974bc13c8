package io.pare.exec.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;

/** Maximum and average pooling in plain Java over NCHW memory: the oracle of the oneDNN path and its stand-in. */
record PlainPooling(int planes, int ih, int iw, int oh, int ow, int kernelHeight, int kernelWidth, int stride,
        int padding) {
    /** Writes the maxima and, for each, the index of the winner in its plane: the first in row-major order. */
    void maxForward(MemorySegment x, MemorySegment y, MemorySegment winners) {
        for (int plane = 0; plane < planes; plane++) {
            long xAt = (long) plane * ih * iw;
            long yAt = (long) plane * oh * ow;
            for (int oy = 0; oy < oh; oy++) {
                for (int ox = 0; ox < ow; ox++) {
                    float best = Float.NEGATIVE_INFINITY;
                    int winner = -1;
                    for (int iy = from(oy); iy < to(oy, ih, kernelHeight); iy++) {
                        for (int ix = from(ox); ix < to(ox, iw, kernelWidth); ix++) {
                            float value = x.getAtIndex(JAVA_FLOAT, xAt + iy * iw + ix);
                            if (winner < 0 || value > best) {
                                best = value;
                                winner = iy * iw + ix;
                            }
                        }
                    }
                    y.setAtIndex(JAVA_FLOAT, yAt + oy * ow + ox, best);
                    winners.setAtIndex(JAVA_INT, yAt + oy * ow + ox, winner);
                }
            }
        }
    }

    void maxBackward(MemorySegment dy, MemorySegment winners, MemorySegment dx) {
        dx.fill((byte) 0);
        for (int plane = 0; plane < planes; plane++) {
            long xAt = (long) plane * ih * iw;
            long yAt = (long) plane * oh * ow;
            for (int i = 0; i < oh * ow; i++) {
                long at = xAt + winners.getAtIndex(JAVA_INT, yAt + i);
                dx.setAtIndex(JAVA_FLOAT, at, dx.getAtIndex(JAVA_FLOAT, at) + dy.getAtIndex(JAVA_FLOAT, yAt + i));
            }
        }
    }

    void avgForward(MemorySegment x, MemorySegment y) {
        float scale = 1f / (kernelHeight * kernelWidth);
        for (int plane = 0; plane < planes; plane++) {
            long xAt = (long) plane * ih * iw;
            long yAt = (long) plane * oh * ow;
            for (int oy = 0; oy < oh; oy++) {
                for (int ox = 0; ox < ow; ox++) {
                    float sum = 0;
                    for (int iy = from(oy); iy < to(oy, ih, kernelHeight); iy++) {
                        for (int ix = from(ox); ix < to(ox, iw, kernelWidth); ix++) {
                            sum += x.getAtIndex(JAVA_FLOAT, xAt + iy * iw + ix);
                        }
                    }
                    y.setAtIndex(JAVA_FLOAT, yAt + oy * ow + ox, sum * scale);
                }
            }
        }
    }

    void avgBackward(MemorySegment dy, MemorySegment dx) {
        dx.fill((byte) 0);
        float scale = 1f / (kernelHeight * kernelWidth);
        for (int plane = 0; plane < planes; plane++) {
            long xAt = (long) plane * ih * iw;
            long yAt = (long) plane * oh * ow;
            for (int oy = 0; oy < oh; oy++) {
                for (int ox = 0; ox < ow; ox++) {
                    float share = dy.getAtIndex(JAVA_FLOAT, yAt + oy * ow + ox) * scale;
                    for (int iy = from(oy); iy < to(oy, ih, kernelHeight); iy++) {
                        for (int ix = from(ox); ix < to(ox, iw, kernelWidth); ix++) {
                            long at = xAt + iy * iw + ix;
                            dx.setAtIndex(JAVA_FLOAT, at, dx.getAtIndex(JAVA_FLOAT, at) + share);
                        }
                    }
                }
            }
        }
    }

    private int from(int out) {
        return Math.max(0, out * stride - padding);
    }

    private int to(int out, int size, int kernel) {
        return Math.min(size, out * stride - padding + kernel);
    }
}
