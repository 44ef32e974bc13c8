package io.pare.exec;

import io.pare.mem.FloatTensor;
import io.pare.mem.direct.Unconfined;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Dry run that records buffer lifetimes; hands out placeholder addresses, for parameters too.
 *
 * <p>Steps that are built on it must never run.
 */
final class MemorySurvey implements Storage, Binding {
    /** Placeholder addresses, at which no process has memory; the bits between are the number of the buffer. */
    private static final long TAKEN = 1L << 62;
    private static final long FOREIGN = 1L << 61;
    private static final int SPAN = 40;

    private final Map<String, long[]> shapes;
    private final Segments segments;
    /** For the moment of a step that runs twice, the moment of its second run. */
    private final Map<Integer, Integer> repeats = new HashMap<>();
    private final Map<String, FloatTensor> parameters = new HashMap<>();
    private final List<Need> needs = new ArrayList<>();
    private final List<Integer> order = new ArrayList<>();
    private final Map<Integer, Integer> scratch = new TreeMap<>();
    private long permanentBytes;
    private long foreign;

    /** A buffer, and the moments in which steps use it. */
    private static final class Need {
        private final @Nullable Need replaced;
        private final NavigableSet<Integer> moments = new TreeSet<>();
        private long bytes;
        private boolean taken;

        Need(long bytes, int moment, @Nullable Need replaced) {
            this.bytes = bytes;
            this.replaced = replaced;
            moments.add(moment);
        }
    }

    /**
     * @param shapes of all parameters and states
     * @param segments of the forward steps; all but the last run twice
     */
    MemorySurvey(Map<String, long[]> shapes, Segments segments) {
        this.shapes = shapes;
        this.segments = segments;
    }

    @Override
    public MemorySegment allocate(long bytes, @Nullable MemorySegment replaced, int moment) {
        order.add(needs.size());
        return need(bytes, moment, replaced == null ? null : owner(replaced));
    }

    private MemorySegment need(long bytes, int moment, @Nullable Need replaced) {
        needs.add(new Need(bytes, moment, replaced));
        return Unconfined.nowhere(TAKEN | (long) (needs.size() - 1) << SPAN, bytes);
    }

    private Need owner(MemorySegment memory) {
        long address = memory.address();
        return address >>> SPAN < TAKEN >>> SPAN ? null : needs.get((int) ((address ^ TAKEN) >>> SPAN));
    }

    @Override
    public MemorySegment scratch(long bytes, int moment) {
        Integer index = scratch.get(moment);
        if (index == null) {
            scratch.put(moment, needs.size());
            return need(bytes, moment, null);
        }
        Need need = needs.get(index);
        need.bytes = Math.max(need.bytes, bytes);
        return Unconfined.nowhere(TAKEN | (long) index << SPAN, bytes);
    }

    @Override
    public MemorySegment permanent(long bytes) {
        permanentBytes += bytes;
        return Unconfined.nowhere(FOREIGN | foreign++ << SPAN, bytes);
    }

    @Override
    public void use(MemorySegment memory, int moment) {
        Need need = owner(memory);
        if (need != null) {
            need.moments.add(moment);
        }
    }

    @Override
    public void repeat(int moment, int later) {
        repeats.put(moment, later);
        for (Need need : needs) {
            if (need.moments.contains(moment)) {
                need.moments.add(later);
            }
        }
    }

    /** The lifetimes of a buffer: two, with a gap before it is computed again, if only its own segment reads it. */
    private List<MemoryPlan.Life> lives(Need need) {
        int first = need.moments.first();
        int last = need.moments.last();
        Integer again = repeats.get(first);
        if (again == null || !again.equals(need.moments.ceiling(segments.end(first)))) {
            return List.of(new MemoryPlan.Life(first, last));
        }
        return List.of(new MemoryPlan.Life(first, need.moments.lower(again)), new MemoryPlan.Life(again, last));
    }

    @Override
    public FloatTensor value(String parameter) {
        return parameters.computeIfAbsent(parameter, name -> tensor(shapes.get(name)));
    }

    @Override
    public FloatTensor gradient(String parameter) {
        return parameters.computeIfAbsent("gradient of " + parameter, name -> tensor(shapes.get(parameter)));
    }

    private FloatTensor tensor(long... shape) {
        return new FloatTensor(Unconfined.nowhere(FOREIGN | foreign++ << SPAN, FloatTensor.count(shape) * Float.BYTES),
                shape);
    }

    /** Places every buffer that was taken. */
    MemoryPlan plan() {
        List<MemoryPlan.Block> blocks = new ArrayList<>();
        Map<Need, MemoryPlan.Block> places = new HashMap<>();
        for (Need need : needs) {
            List<MemoryPlan.Life> lives = lives(need);
            MemoryPlan.Block old = need.replaced == null || need.replaced.taken ? null : places.get(need.replaced);
            if (old != null && old.bytes() == need.bytes && old.goesOnIn(lives)) {
                need.replaced.taken = true;
                old.goOnIn(lives);
                places.put(need, old);
            } else {
                MemoryPlan.Block block = new MemoryPlan.Block(need.bytes, lives);
                blocks.add(block);
                places.put(need, block);
            }
        }
        long bytes = MemoryPlan.place(blocks);
        Map<Integer, MemoryPlan.Block> shared = new HashMap<>();
        scratch.forEach((moment, index) -> shared.put(moment, places.get(needs.get(index))));
        return new MemoryPlan(bytes, permanentBytes, blocks,
                order.stream().map(index -> places.get(needs.get(index))).toList(), shared);
    }
}
