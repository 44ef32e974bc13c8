package io.pare.format.pytorch;

import io.pare.file.FormatException;
import io.pare.format.tensors.ElementType;
import java.util.List;

/**
 * A row of elements outside the pickle, which tensors may share.
 *
 * @param key its name in the file
 * @param type of its elements; {@code null} for bytes whose type a tensor says
 * @param count of elements
 */
record PickledStorage(String key, ElementType type, long count) {
    private static final String MARK = "storage";

    /** The one that a persistent id of PyTorch names: the mark, type, key, place and count, and a view that is refused. */
    static PickledStorage of(Object id) {
        List<Object> parts = id instanceof Tuple tuple ? tuple.items() : List.of();
        if (parts.size() < 5 || !MARK.equals(parts.get(0)) || !(parts.get(1) instanceof Known.Storage kind)
                || !(parts.get(4) instanceof Long count) || count < 0) {
            throw new FormatException(!parts.isEmpty() && "module".equals(parts.get(0))
                    ? "its pickle holds a module with its code, which Pare does not load" + PyTorchFile.REMEDY
                    : "its pickle names something outside itself that is no storage of a tensor");
        }
        if (parts.size() > 5 && parts.get(5) != Absent.NONE) {
            throw new FormatException("its pickle has a storage that is a view of another" + PyTorchFile.REMEDY);
        }
        Object key = parts.get(2);
        if (!(key instanceof String) && !(key instanceof Long)) {
            throw new FormatException("its pickle has a storage without a key");
        }
        return new PickledStorage(key.toString(), kind.type(), count);
    }
}
