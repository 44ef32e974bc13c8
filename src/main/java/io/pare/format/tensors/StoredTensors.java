package io.pare.format.tensors;

import io.pare.file.FormatException;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** The tensors of an open file, of which a reader has found where they lie, in the order of their making. */
public final class StoredTensors implements NamedTensors {
    private final Path path;
    private final Map<String, StoredTensor> tensors;
    private final Closeable file;

    /**
     * Takes over an open file with what was found in it.
     *
     * @param path for messages
     * @param tensors by name, in the file's order
     * @param file is closed with this
     */
    public StoredTensors(Path path, Map<String, StoredTensor> tensors, Closeable file) {
        this.path = path;
        this.tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
        this.file = file;
    }

    @Override
    public Map<String, String> metadata() {
        return Map.of();
    }

    @Override
    public Set<String> names() {
        return tensors.keySet();
    }

    @Override
    public boolean keepsOrder() {
        return true;
    }

    /**
     * {@return the type of a tensor's elements}
     *
     * @param name of a tensor
     */
    public ElementType type(String name) {
        return tensor(name).type();
    }

    @Override
    public long[] shape(String name) {
        return tensor(name).strides().shape().clone();
    }

    @Override
    public FloatTensor floats(String name, Region region) throws IOException {
        StoredTensor tensor = tensor(name);
        return named(name, () -> tensor.floats(region));
    }

    @Override
    public long[] longs(String name) throws IOException {
        return named(name, tensor(name)::longs);
    }

    /**
     * Reads a tensor of unsigned bytes to the heap, row-major.
     *
     * @param name of a tensor
     * @return the elements, row-major
     * @throws IOException if the file cannot be read
     */
    public byte[] bytes(String name) throws IOException {
        return named(name, tensor(name)::bytes);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    private StoredTensor tensor(String name) {
        StoredTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new FormatException(path + " has no tensor '" + name + "'; it has " + tensors.keySet());
        }
        return tensor;
    }

    private interface Reading<T> {
        T read() throws IOException;
    }

    private <T> T named(String name, Reading<T> reading) throws IOException {
        try {
            return reading.read();
        } catch (FormatException e) {
            throw new FormatException(path + ": tensor '" + name + "': " + e.getMessage(), e);
        }
    }
}
