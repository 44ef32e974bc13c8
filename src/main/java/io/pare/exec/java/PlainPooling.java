package io.pare.exec.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.pare.net.Window;
import java.lang.foreign.MemorySegment;

/** Maximum and average pooling in plain Java over NCHW memory: the oracle of the oneDNN path and its stand-in. */
record PlainPooling(int planes, int ih, int iw, int oh, int ow, Window window) {
    /** By how many rows and columns of taps the mean of each place divides. */
    record Counted(int[] rows, int[] columns) {
        private float share(int oy, int ox) {
            return 1f / (rows[oy] * columns[ox]);
        }
    }

    /** Writes the maxima and, for each, the index of the winner in its plane: the first in row-major order. */
    void maxForward(MemorySegment x, MemorySegment y, MemorySegment winners) {
        for (int plane = 0; plane < planes; plane++) {
            long xAt = (long) plane * ih * iw;
            long yAt = (long) plane * oh * ow;
            for (int oy = 0; oy < oh; oy++) {
                for (int ox = 0; ox < ow; ox++) {
                    float best = Float.NEGATIVE_INFINITY;
                    int winner = -1;
                    for (int iy = top(oy); iy < bottom(oy); iy += window.dilationHeight()) {
                        for (int ix = left(ox); ix < right(ox); ix += window.dilationWidth()) {
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

    void avgForward(MemorySegment x, MemorySegment y, Counted counted) {
        for (int plane = 0; plane < planes; plane++) {
            long xAt = (long) plane * ih * iw;
            long yAt = (long) plane * oh * ow;
            for (int oy = 0; oy < oh; oy++) {
                for (int ox = 0; ox < ow; ox++) {
                    float sum = 0;
                    for (int iy = top(oy); iy < bottom(oy); iy += window.dilationHeight()) {
                        for (int ix = left(ox); ix < right(ox); ix += window.dilationWidth()) {
                            sum += x.getAtIndex(JAVA_FLOAT, xAt + iy * iw + ix);
                        }
                    }
                    y.setAtIndex(JAVA_FLOAT, yAt + oy * ow + ox, sum * counted.share(oy, ox));
                }
            }
        }
    }

    void avgBackward(MemorySegment dy, MemorySegment dx, Counted counted) {
        dx.fill((byte) 0);
        for (int plane = 0; plane < planes; plane++) {
            long xAt = (long) plane * ih * iw;
            long yAt = (long) plane * oh * ow;
            for (int oy = 0; oy < oh; oy++) {
                for (int ox = 0; ox < ow; ox++) {
                    float share = dy.getAtIndex(JAVA_FLOAT, yAt + oy * ow + ox) * counted.share(oy, ox);
                    for (int iy = top(oy); iy < bottom(oy); iy += window.dilationHeight()) {
                        for (int ix = left(ox); ix < right(ox); ix += window.dilationWidth()) {
                            long at = xAt + iy * iw + ix;
                            dx.setAtIndex(JAVA_FLOAT, at, dx.getAtIndex(JAVA_FLOAT, at) + share);
                        }
                    }
                }
            }
        }
    }

    /** The first row inside the image that the windows of an output row read. */
    private int top(int oy) {
        return inside(oy * window.strideHeight() - window.top(), window.dilationHeight());
    }

    private int left(int ox) {
        return inside(ox * window.strideWidth() - window.left(), window.dilationWidth());
    }

    private static int inside(int start, int dilation) {
        return start >= 0 ? start : Math.floorMod(start, dilation);
    }

    /** Behind the last row inside the image that the windows of an output row may read. */
    private int bottom(int oy) {
        return (int) Math.min(ih, oy * window.strideHeight() - window.top() + window.spanHeight());
    }

    private int right(int ox) {
        return (int) Math.min(iw, ox * window.strideWidth() - window.left() + window.spanWidth());
    }
}
