package io.pare.format.tensors;

import io.pare.file.FormatException;
import io.pare.mem.FloatTensor;
import io.pare.mem.Heap;
import io.pare.mem.Region;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A tensor as it lies in a file. Nothing is read before it is asked for.
 *
 * @param type of its elements
 * @param order of an element's bytes
 * @param strides where its elements lie, from its first one on
 * @param offset of the first element, counted in elements
 * @param source holds the elements, and those of other tensors perhaps
 */
public record StoredTensor(ElementType type, ByteOrder order, Strides strides, long offset, ByteSource source) {
    /** Checks that all elements lie within the source, and that no fewer elements than the tensor's are there. */
    public StoredTensor {
        long held = source.size() / type.bytes();
        long span = strides.span();
        if (offset < 0 || offset > held || span > held - offset || strides.count() > held) {
            throw new FormatException("has " + strides.count() + " elements of type " + type + " within " + span
                    + " from number " + offset + " on, and " + held + " are there");
        }
    }

    FloatTensor floats(Region region) throws IOException {
        MemorySegment elements = elements(Float.BYTES);
        FloatTensor tensor = region.tensor(strides.shape());
        MemorySegment to = tensor.segment();
        strides.forEach((index, at) -> to.setAtIndex(ValueLayout.JAVA_FLOAT, index, type.floatAt(elements, at)));
        return tensor;
    }

    byte[] bytes() throws IOException {
        if (type != ElementType.U8) {
            throw new FormatException("has type " + type + ", unsigned bytes are needed");
        }
        MemorySegment elements = elements(Byte.BYTES);
        byte[] values = new byte[(int) strides.count()];
        strides.forEach((index, at) -> values[(int) index] = elements.get(ValueLayout.JAVA_BYTE, at));
        return values;
    }

    long[] longs() throws IOException {
        if (type.isFloat()) {
            throw new FormatException("has type " + type + ", integers are needed");
        }
        MemorySegment elements = elements(Long.BYTES);
        long[] values = new long[(int) strides.count()];
        strides.forEach((index, at) -> {
            long value = type.longAt(elements, at);
            if (type == ElementType.U64 && value < 0) {
                throw new FormatException("holds " + Long.toUnsignedString(value)
                        + ", which does not fit into 63 bits");
            }
            values[(int) index] = value;
        });
        return values;
    }

    /** The bytes from the first element to the last, little-endian, if there is room for them and what they become. */
    private MemorySegment elements(int becoming) throws IOException {
        long bytes = Math.multiplyExact(strides.span(), type.bytes());
        long all = bytes + strides.count() * becoming;
        if (!Heap.holds(all) || bytes > Integer.MAX_VALUE - 8) {
            throw new FormatException(Heap.holds(all) ? "does not fit into a Java array" : Heap.shortage(all));
        }
        byte[] read = new byte[(int) bytes];
        if (bytes > 0) {
            source.read(offset * type.bytes(), read);
        }
        if (order == ByteOrder.BIG_ENDIAN) {
            reverse(read, type.bytes());
        }
        return MemorySegment.ofArray(read);
    }

    private static void reverse(byte[] bytes, int width) {
        for (int start = 0; start < bytes.length; start += width) {
            for (int i = 0; i < width / 2; i++) {
                byte first = bytes[start + i];
                bytes[start + i] = bytes[start + width - 1 - i];
                bytes[start + width - 1 - i] = first;
            }
        }
    }
}
