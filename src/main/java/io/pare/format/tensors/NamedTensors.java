package io.pare.format.tensors;

import io.pare.file.FormatException;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.io.IOException;
import java.util.Map;
import java.util.Set;

/**
 * An open file of tensors that have names, whatever its format.
 *
 * <p>Not thread-safe. {@link #close()} closes the file; tensors that were read belong to the region they were read into.
 * Errors in the file's content are {@link FormatException}, errors of the system {@link IOException}.
 */
public interface NamedTensors extends AutoCloseable {
    /** {@return what the file says beside its tensors; may be empty} */
    Map<String, String> metadata();

    /** {@return names of the tensors, in the file's order} */
    Set<String> names();

    /**
     * {@return whether the file's order is that in which its writer made the tensors; otherwise it may be one by name
     * or size}
     */
    boolean keepsOrder();

    /**
     * {@return whether there is a tensor of that name}
     *
     * @param name any text
     */
    default boolean contains(String name) {
        return names().contains(name);
    }

    /**
     * {@return the shape of a tensor; {@link FormatException} if there is none of that name}
     *
     * @param name of a tensor
     */
    long[] shape(String name);

    /**
     * Reads a tensor into memory of {@code region}, row-major. Values are rounded to the nearest float.
     *
     * @param name of a tensor
     * @param region owns the memory
     * @return the tensor, row-major
     * @throws IOException if the file cannot be read
     */
    FloatTensor floats(String name, Region region) throws IOException;

    /**
     * Reads a tensor of integers of any width to the heap, row-major; values above the range of long are refused.
     *
     * @param name of a tensor
     * @return the elements, row-major
     * @throws IOException if the file cannot be read
     */
    long[] longs(String name) throws IOException;

    @Override
    void close() throws IOException;
}
