package io.pare.kernel;

import io.pare.kernel.passes.Passes;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * The input of a call: one or several spans, end to end, each cut into chunks of at most {@link Passes#CHUNK} elements.
 *
 * <p>Elements of a span compete by {@code weight * magnitude}. Rounding is monotone, so each bound on the keys of such
 * products is a bound on the span's own keys, and passes never multiply.
 */
final class Spans {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** One above the key of infinity: a bound that no number reaches. */
    static final int END = Passes.INFINITY + 1;

    private Span[] spans = new Span[1];
    private int count;
    private long total;
    private int[] firstChunk = new int[2];

    void one(Span span) {
        spans[0] = span.unconfined();
        begin(1);
    }

    void many(List<Span> list) {
        if (spans.length < list.size()) {
            spans = new Span[list.size()];
            firstChunk = new int[list.size() + 1];
        }
        for (int s = 0; s < list.size(); s++) {
            spans[s] = list.get(s).unconfined();
        }
        begin(list.size());
    }

    private void begin(int spanCount) {
        count = spanCount;
        total = 0;
        long chunks = 0;
        for (int s = 0; s < spanCount; s++) {
            firstChunk[s] = Math.toIntExact(chunks);
            chunks += Passes.chunks(spans[s].count());
            total = Math.addExact(total, spans[s].count());
        }
        firstChunk[spanCount] = Math.toIntExact(chunks);
    }

    /** Number of spans. */
    int count() {
        return count;
    }

    /** Elements of all spans. */
    long total() {
        return total;
    }

    Span get(int s) {
        return spans[s];
    }

    /** Number of chunks of all spans. */
    int chunks() {
        return firstChunk[count];
    }

    /** The first chunk of span {@code s}; behind the last span, the number of chunks. */
    int firstChunk(int s) {
        return firstChunk[s];
    }

    /** The span in which a chunk lies. */
    int of(int chunk) {
        int at = Arrays.binarySearch(firstChunk, 0, count, chunk);
        int s = at >= 0 ? at : -at - 2;
        // Empty spans share their first chunk with the next one.
        while (chunk >= firstChunk[s + 1]) {
            s++;
        }
        return s;
    }

    /** Whether there is one span and its keys are those of its elements. */
    boolean plain() {
        return count == 1 && spans[0].weight() == 1;
    }

    /** Element {@code i} of a span. */
    static float value(Span span, long i) {
        float x = span.x().get(F32, span.xOffset() + i * 4);
        return span.u() == null ? x : x + span.u().get(F32, span.uOffset() + i * 4);
    }

    /** The key by which an element of key {@code raw} competes. */
    static int weighted(int raw, float weight) {
        return weight == 1 ? raw : Float.floatToRawIntBits(Float.intBitsToFloat(raw) * weight) & Passes.MAGNITUDE;
    }

    /** The least key whose weighted key reaches {@code bound}. */
    static int raw(int bound, float weight) {
        if (weight == 1 || bound <= 0 || bound >= END) {
            return bound;
        }
        int from = 0;
        int to = Passes.INFINITY;
        while (from < to) {
            int middle = (from + to) >>> 1;
            if (weighted(middle, weight) >= bound) {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        return from;
    }
}
