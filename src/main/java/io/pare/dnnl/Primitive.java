package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_exec_arg_t;
import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.Map;

/**
 * One compiled oneDNN operation for fixed shapes and layouts. Owned by its region; may be bound any number of times.
 *
 * <p>Creating one generates machine code and takes up to milliseconds: do so once per shape.
 */
public final class Primitive {
    private final Region region;
    private final MemorySegment descriptor;
    private final MemorySegment handle;
    private final String subject;
    private final boolean isReorder;
    private final Map<Arg, MemoryDesc> descs = new EnumMap<>(Arg.class);

    /** Takes over a primitive descriptor that the region owns. */
    Primitive(Region region, MemorySegment descriptor, String subject, boolean isReorder) {
        this.region = region;
        this.descriptor = descriptor;
        this.subject = subject;
        this.isReorder = isReorder;
        this.handle = Dnnl.owned(region, out -> dnnl_h.dnnl_primitive_create(out, descriptor), "dnnl_primitive_create",
                dnnl_h::dnnl_primitive_destroy, subject);
        for (Arg arg : Arg.values()) {
            MemoryDesc desc = MemoryDesc.copyOf(region, Dnnl.sized(
                    dnnl_h.dnnl_primitive_desc_query_md(descriptor, dnnl_h.dnnl_query_exec_arg_md(), arg.code()), 0,
                    region));
            if (desc != null) {
                descs.put(arg, desc);
            }
        }
    }

    /** The layout that {@code arg} must have; null where the operation has no such operand. */
    public MemoryDesc desc(Arg arg) {
        return descs.get(arg);
    }

    /** Whether the operation has the operand. */
    public boolean has(Arg arg) {
        return descs.containsKey(arg);
    }

    /** The kernel that oneDNN chose, e.g. {@code brgconv:avx512_core}. */
    public String implementation() {
        return implementation(region, descriptor, subject);
    }

    static String implementation(Region region, MemorySegment descriptor, String subject) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            Dnnl.check(dnnl_h.dnnl_primitive_desc_query(descriptor, dnnl_h.dnnl_query_impl_info_str(), 0, out),
                    "dnnl_primitive_desc_query", subject);
            return Dnnl.sized(out.get(ValueLayout.ADDRESS, 0), Long.MAX_VALUE, region).getString(0);
        }
    }

    /** Starts to bind memory to the operands, with a scratchpad that other executions share. */
    public Binding bind(Scratchpad scratchpad) {
        return new Binding(scratchpad);
    }

    /** Starts to bind memory to the operands, with a scratchpad of its own. */
    public Binding bind() {
        return new Binding(new Scratchpad(region));
    }

    MemorySegment descriptor() {
        return descriptor;
    }

    @Override
    public String toString() {
        return subject + " by " + implementation();
    }

    /** Collects the memory of each operand. */
    public final class Binding {
        private final Scratchpad scratchpad;
        private final Map<Arg, DnnlMemory> memories = new EnumMap<>(Arg.class);

        private Binding(Scratchpad scratchpad) {
            this.scratchpad = scratchpad;
        }

        /** Binds {@code memory}, whose layout must be exactly what {@link Primitive#desc} says. */
        public Binding with(Arg arg, DnnlMemory memory) {
            MemoryDesc wanted = descs.get(arg);
            if (wanted == null) {
                throw new IllegalArgumentException(subject + " has no operand " + arg);
            }
            if (!wanted.sameAs(memory.desc())) {
                throw new IllegalArgumentException(
                        subject + ": " + arg + " must be " + wanted + ", given " + memory.desc() + "; reorder it");
            }
            memories.put(arg, memory);
            return this;
        }

        /**
         * Builds the argument list. Operands that were not bound are left out, which is right for those that the
         * operation only describes; a missing one that it needs makes {@link Execution#run} fail.
         */
        public Execution prepare() {
            MemoryDesc scratch = descs.get(Arg.SCRATCHPAD);
            int count = memories.size() + (scratch == null ? 0 : 1);
            MemorySegment args = region.arena().allocate(dnnl_exec_arg_t.sizeof() * count, 16);
            int at = 0;
            for (Map.Entry<Arg, DnnlMemory> entry : memories.entrySet()) {
                scratchpad.bound(entry.getValue());
                put(args, at++, entry.getKey(), entry.getValue().handle());
            }
            if (scratch != null) {
                put(args, at, Arg.SCRATCHPAD, scratchpad.handle(region, scratch));
            }
            return new Execution(handle, args, count, subject, isReorder);
        }

        private void put(MemorySegment args, int at, Arg arg, MemorySegment memory) {
            MemorySegment slot = dnnl_exec_arg_t.asSlice(args, at);
            dnnl_exec_arg_t.arg(slot, arg.code());
            dnnl_exec_arg_t.memory(slot, memory);
        }
    }
}
