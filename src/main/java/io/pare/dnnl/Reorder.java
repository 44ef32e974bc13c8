package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/** Copies between layouts of the same shape. Counts what it makes and runs, so that tests can bound both. */
public final class Reorder {
    private static final AtomicLong CREATED = new AtomicLong();
    private static final AtomicLong EXECUTED = new AtomicLong();

    private Reorder() {}

    /** Prepares the copy from one memory to the other; owned by {@code region}. */
    public static Execution between(Region region, DnnlMemory from, DnnlMemory to) {
        return between(region, new Scratchpad(region), from, to);
    }

    /** As {@link #between(Region, DnnlMemory, DnnlMemory)}, with a scratchpad that other executions share. */
    public static Execution between(Region region, Scratchpad scratchpad, DnnlMemory from, DnnlMemory to) {
        String subject = "reorder " + from.desc() + " -> " + to.desc();
        MemorySegment engine = DnnlEngine.get().handle();
        try (Attributes attributes = new Attributes(null)) {
            MemorySegment descriptor = Dnnl.owned(region,
                    out -> dnnl_h.dnnl_reorder_primitive_desc_create(out, from.desc().handle(), engine,
                            to.desc().handle(), engine, attributes.handle()),
                    "dnnl_reorder_primitive_desc_create", dnnl_h::dnnl_primitive_desc_destroy, subject);
            CREATED.incrementAndGet();
            return new Primitive(region, descriptor, subject, true).bind(scratchpad).with(Arg.SRC, from)
                    .with(Arg.DST, to).prepare();
        }
    }

    /** Number of reorders made by this process. */
    public static long created() {
        return CREATED.get();
    }

    /** Number of reorders run by this process. */
    public static long executed() {
        return EXECUTED.get();
    }

    static void countExecution() {
        EXECUTED.incrementAndGet();
    }
}
