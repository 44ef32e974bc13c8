package io.pare.format.onnx;

import io.pare.net.Shape;
import io.pare.net.Window;

/**
 * What ONNX's {@code ceil_mode} makes of a window: one more place where the last one leaves pixels over, unless that
 * would begin behind the image.
 *
 * @param window with as much more padding below and behind the image as those places read
 * @param bottom rows that are added below
 * @param right columns that are added behind
 */
record Ceiling(Window window, int bottom, int right) {
    /** For images of that shape, into which the window fits. */
    static Ceiling of(Window w, Shape image) {
        int bottom = added(image.height(), w.spanHeight(), w.strideHeight(), w.top(), w.bottom());
        int right = added(image.width(), w.spanWidth(), w.strideWidth(), w.left(), w.right());
        return new Ceiling(w.padded(w.top(), w.left(), w.bottom() + bottom, w.right() + right), bottom, right);
    }

    private static int added(int size, long span, int stride, int before, int after) {
        long room = (long) size + before + after - span;
        long last = Math.ceilDiv(room, stride) * stride;
        return last >= (long) size + before ? 0 : (int) (last - room);
    }
}
