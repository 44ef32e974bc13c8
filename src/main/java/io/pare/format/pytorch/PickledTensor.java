package io.pare.format.pytorch;

import io.pare.file.FormatException;
import io.pare.format.tensors.ElementType;
import io.pare.format.tensors.Strides;
import java.util.List;

/**
 * A view of a storage.
 *
 * @param type of its elements
 * @param offset of its first element
 */
record PickledTensor(PickledStorage storage, ElementType type, long offset, Strides strides) {
    /**
     * From the arguments with which PyTorch rebuilds a tensor: storage, offset, sizes, strides, and more.
     *
     * @param typeAt which argument says the type, or 0 if the storage does
     */
    static PickledTensor of(List<Object> arguments, int typeAt) {
        if (arguments.size() < Math.max(4, typeAt + 1) || !(arguments.get(0) instanceof PickledStorage storage)
                || !(arguments.get(1) instanceof Long offset)) {
            throw new FormatException("its pickle rebuilds a tensor from something else than a storage, an offset,"
                    + " sizes and strides");
        }
        ElementType type = typeAt == 0 ? storage.type()
                : arguments.get(typeAt) instanceof Known.Type known ? known.type() : null;
        if (type == null) {
            throw new FormatException("its pickle has a tensor whose type of elements Pare does not read");
        }
        long[] sizes = longs(arguments.get(2));
        long[] steps = longs(arguments.get(3));
        try {
            return new PickledTensor(storage, type, offset, new Strides(sizes, steps));
        } catch (FormatException e) {
            throw new FormatException("its pickle has a tensor that " + e.getMessage(), e);
        }
    }

    private static long[] longs(Object sizes) {
        List<?> items = sizes instanceof Tuple tuple ? tuple.items() : List.of(Absent.NONE);
        if (items.size() > Strides.MAX_RANK || !items.stream().allMatch(Long.class::isInstance)) {
            throw new FormatException("its pickle has a tensor whose sizes or strides are not at most "
                    + Strides.MAX_RANK + " integers");
        }
        return items.stream().mapToLong(Long.class::cast).toArray();
    }
}
