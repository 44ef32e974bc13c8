package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import io.pare.mem.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Shape, memory layout and type of numbers (or of an opaque workspace). Immutable; lives as long as its region. Where no
 * type is said it is {@link DataType#F32}.
 *
 * <p>A blocked layout may round a dimension up to its block and needs the rest to stay zero: let only oneDNN write to
 * such memory, and size it by {@link #sizeBytes()}, never by the product of its dimensions.
 */
public final class MemoryDesc {
    private final Region region;
    private final MemorySegment handle;
    private final long[] dims;
    private final long sizeBytes;

    private MemoryDesc(Region region, MemorySegment handle, long[] dims) {
        this.region = region;
        this.handle = handle;
        this.dims = dims;
        this.sizeBytes = dnnl_h.dnnl_memory_desc_get_size(handle);
    }

    /** Row-major: x, nc, nchw, oihw, goihw, ..., the layout of {@link io.pare.mem.FloatTensor}. 1 to 5 dimensions. */
    public static MemoryDesc plain(Region region, long... dims) {
        return plain(region, DataType.F32, dims);
    }

    /** As {@link #plain(Region, long...)}, of another type. */
    public static MemoryDesc plain(Region region, DataType type, long... dims) {
        int tag = switch (dims.length) {
            case 1 -> dnnl_h.dnnl_a();
            case 2 -> dnnl_h.dnnl_ab();
            case 3 -> dnnl_h.dnnl_abc();
            case 4 -> dnnl_h.dnnl_abcd();
            case 5 -> dnnl_h.dnnl_abcde();
            default -> throw new IllegalArgumentException("1 to 5 dimensions, not " + Arrays.toString(dims));
        };
        return tagged(region, type, tag, dims);
    }

    /** Images with the channels varying fastest: nhwc for dimensions given as n, c, h, w. */
    public static MemoryDesc channelsLast(Region region, long n, long c, long h, long w) {
        return channelsLast(region, DataType.F32, n, c, h, w);
    }

    /** As {@link #channelsLast(Region, long, long, long, long)}, of another type. */
    public static MemoryDesc channelsLast(Region region, DataType type, long n, long c, long h, long w) {
        return tagged(region, type, dnnl_h.dnnl_acdb(), n, c, h, w);
    }

    /** A placeholder: the primitive chooses the layout. It describes no memory. */
    public static MemoryDesc any(Region region, long... dims) {
        return any(region, DataType.F32, dims);
    }

    /** As {@link #any(Region, long...)}, of another type. */
    public static MemoryDesc any(Region region, DataType type, long... dims) {
        return tagged(region, type, dnnl_h.dnnl_format_tag_any(), dims);
    }

    private static MemoryDesc tagged(Region region, DataType type, int tag, long... dims) {
        DnnlEngine.get();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment list = Dnnl.dims(arena, dims);
            MemorySegment handle = Dnnl.owned(region,
                    out -> dnnl_h.dnnl_memory_desc_create_with_tag(out, dims.length, list, type.code(), tag),
                    "dnnl_memory_desc_create_with_tag", dnnl_h::dnnl_memory_desc_destroy, Arrays.toString(dims));
            return new MemoryDesc(region, handle, dims.clone());
        }
    }

    /** A copy of a descriptor that a primitive descriptor owns; null where that has none. */
    static MemoryDesc copyOf(Region region, MemorySegment borrowed) {
        if (borrowed.address() == 0 || dnnl_h.dnnl_memory_desc_get_size(borrowed) == 0) {
            return null;
        }
        MemorySegment handle = Dnnl.owned(region, out -> dnnl_h.dnnl_memory_desc_clone(out, borrowed),
                "dnnl_memory_desc_clone", dnnl_h::dnnl_memory_desc_destroy, "query");
        return new MemoryDesc(region, handle, longs(region, handle, dnnl_h.dnnl_query_dims(), rank(handle)));
    }

    /** Logical dimensions, whatever the layout. */
    public long[] dims() {
        return dims.clone();
    }

    /** Bytes that memory of this layout takes, padding included; 0 for {@link #any}. */
    public long sizeBytes() {
        return sizeBytes;
    }

    /** Whether memory of the one can be used as memory of the other without a reorder. */
    public boolean sameAs(MemoryDesc other) {
        return dnnl_h.dnnl_memory_desc_equal(handle, other.handle) != 0;
    }

    /**
     * What the numbers are.
     *
     * @throws IllegalStateException for a workspace of something else
     */
    public DataType type() {
        int code = number(handle, dnnl_h.dnnl_query_data_type(), "data type");
        for (DataType type : DataType.values()) {
            if (type.code() == code) {
                return type;
            }
        }
        throw new IllegalStateException(this + " has numbers of type " + code);
    }

    /** Whether the layout is the row-major one of 32-bit floats, without blocks or padding. */
    public boolean isPlain() {
        try (Region question = Region.confined("layout question")) {
            return sameAs(plain(question, dims));
        }
    }

    MemorySegment handle() {
        return handle;
    }

    /** Dimensions, strides in elements, and blocks, e.g. {@code [64, 20, 24, 24] strides [...] blocks [16 of dim 1]}. */
    @Override
    public String toString() {
        if (sizeBytes == 0) {
            return Arrays.toString(dims) + " any layout";
        }
        StringBuilder text = new StringBuilder(Arrays.toString(dims));
        if (number(handle, dnnl_h.dnnl_query_data_type(), "data type") == DataType.BF16.code()) {
            text.append(" bf16");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            if (dnnl_h.dnnl_memory_desc_query(handle, dnnl_h.dnnl_query_strides(), out) != 0) {
                return text.append(" opaque, ").append(sizeBytes).append(" bytes").toString();
            }
            text.append(" strides ")
                    .append(Arrays.toString(longs(region, handle, dnnl_h.dnnl_query_strides(), dims.length)));
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            if (dnnl_h.dnnl_memory_desc_query(handle, dnnl_h.dnnl_query_inner_nblks_s32(), count) == 0) {
                int blocks = count.get(ValueLayout.JAVA_INT, 0);
                if (blocks > 0) {
                    long[] sizes = longs(region, handle, dnnl_h.dnnl_query_inner_blks(), blocks);
                    long[] axes = longs(region, handle, dnnl_h.dnnl_query_inner_idxs(), blocks);
                    for (int i = 0; i < blocks; i++) {
                        text.append(i == 0 ? " blocks " : ", ").append(sizes[i]).append(" of dim ").append(axes[i]);
                    }
                }
            }
        }
        return text.toString();
    }

    private static int rank(MemorySegment handle) {
        return number(handle, dnnl_h.dnnl_query_ndims_s32(), "ndims");
    }

    private static int number(MemorySegment handle, int what, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
            Dnnl.check(dnnl_h.dnnl_memory_desc_query(handle, what, out), "dnnl_memory_desc_query", name);
            return out.get(ValueLayout.JAVA_INT, 0);
        }
    }

    private static long[] longs(Region region, MemorySegment handle, int what, int count) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            Dnnl.check(dnnl_h.dnnl_memory_desc_query(handle, what, out), "dnnl_memory_desc_query", what);
            MemorySegment list = Dnnl.sized(out.get(ValueLayout.ADDRESS, 0), (long) count * Long.BYTES, region);
            return list.toArray(ValueLayout.JAVA_LONG);
        }
    }
}
