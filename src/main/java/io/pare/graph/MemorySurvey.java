package io.pare.graph;

import io.pare.mem.FloatTensor;
import io.pare.mem.Workspace;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Takes down who needs memory from when to when, and gives addresses at which there is nothing.
 *
 * <p>Steps that are built on it must never run. It stands in for the parameters too.
 */
final class MemorySurvey implements Storage, Binding {
    /** No process has memory at such addresses; the bits between say whose it is. */
    private static final long TAKEN = 1L << 62;
    private static final long FOREIGN = 1L << 61;
    private static final int SPAN = 40;

    private final Map<String, long[]> shapes;
    private final Map<String, FloatTensor> parameters = new HashMap<>();
    private final List<Need> needs = new ArrayList<>();
    private final List<Integer> order = new ArrayList<>();
    private final Map<Integer, Integer> scratch = new TreeMap<>();
    private long permanentBytes;
    private long foreign;

    /** Bytes that are needed from moment {@code first} to moment {@code last}. */
    private static final class Need {
        private final Need replaced;
        private long bytes;
        private int first;
        private int last;
        private boolean taken;

        Need(long bytes, int moment, Need replaced) {
            this.bytes = bytes;
            this.first = moment;
            this.last = moment;
            this.replaced = replaced;
        }
    }

    /** @param shapes of all parameters and states */
    MemorySurvey(Map<String, long[]> shapes) {
        this.shapes = shapes;
    }

    @Override
    public MemorySegment allocate(long bytes, MemorySegment replaced, int moment) {
        order.add(needs.size());
        return need(bytes, moment, replaced == null ? null : owner(replaced));
    }

    private MemorySegment need(long bytes, int moment, Need replaced) {
        needs.add(new Need(bytes, moment, replaced));
        return Workspace.nowhere(TAKEN | (long) (needs.size() - 1) << SPAN, bytes);
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
        return Workspace.nowhere(TAKEN | (long) index << SPAN, bytes);
    }

    @Override
    public MemorySegment permanent(long bytes) {
        permanentBytes += bytes;
        return Workspace.nowhere(FOREIGN | foreign++ << SPAN, bytes);
    }

    @Override
    public void use(MemorySegment memory, int moment) {
        Need need = owner(memory);
        if (need != null) {
            need.first = Math.min(need.first, moment);
            need.last = Math.max(need.last, moment);
        }
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
        return new FloatTensor(Workspace.nowhere(FOREIGN | foreign++ << SPAN, FloatTensor.count(shape) * Float.BYTES),
                shape);
    }

    /** Gives a place to everything that was taken. */
    MemoryPlan plan() {
        List<MemoryPlan.Block> blocks = new ArrayList<>();
        Map<Need, MemoryPlan.Block> places = new HashMap<>();
        for (Need need : needs) {
            MemoryPlan.Block old = need.replaced == null || need.replaced.taken ? null : places.get(need.replaced);
            if (old != null && old.bytes() == need.bytes && old.last() == need.first) {
                need.replaced.taken = true;
                old.until(need.last);
                places.put(need, old);
            } else {
                MemoryPlan.Block block = new MemoryPlan.Block(need.bytes, need.first, need.last);
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
