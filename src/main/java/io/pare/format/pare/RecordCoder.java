package io.pare.format.pare;

import io.pare.file.FormatException;
import io.pare.net.TensorOp;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Codes operators that are records of numbers, flags, lists, constants of enumerations and such records: the number of the
 * record, then its components in their order. So components are never reordered, nor constants; new ones come last.
 */
final class RecordCoder {
    /** Operators by number. Never renumber: files refer to them. */
    static final List<Class<? extends TensorOp>> KINDS = List.of(TensorOp.Constant.class, TensorOp.Map.class,
            TensorOp.Zip.class, TensorOp.Choose.class, TensorOp.Reduce.class, TensorOp.Softmax.class,
            TensorOp.Reshape.class, TensorOp.Transpose.class, TensorOp.Slice.class, TensorOp.Expand.class,
            TensorOp.Pad.class, TensorOp.Take.class, TensorOp.Join.class, TensorOp.MatMul.class,
            TensorOp.Projection.class, TensorOp.Embedding.class, TensorOp.Gather.class, TensorOp.LayerNorm.class,
            TensorOp.GroupNorm.class, TensorOp.PRelu.class, TensorOp.Resize.class, TensorOp.Recurrent.class,
            TensorOp.ConvTranspose.class, TensorOp.Attention.class);

    private static final int MAX_LIST = 1 << 20;

    private final BitCoder coder;

    RecordCoder(BitCoder coder) {
        this.coder = coder;
    }

    /** Codes an operator; null when reading. */
    TensorOp code(TensorOp op) {
        int kind = coder.number(op == null ? 0 : KINDS.indexOf(op.getClass()), 3);
        if (kind >= KINDS.size()) {
            throw new FormatException("the file holds an operator of number " + kind
                    + ", which this version does not know: use a newer version of Pare");
        }
        return record(KINDS.get(kind), op);
    }

    private <R> R record(Class<R> type, Object known) {
        RecordComponent[] components = type.getRecordComponents();
        Object[] values = new Object[components.length];
        try {
            for (int i = 0; i < values.length; i++) {
                Object component = known == null ? null : components[i].getAccessor().invoke(known);
                values[i] = value(components[i].getGenericType(), component);
            }
            Class<?>[] types = Arrays.stream(components).map(RecordComponent::getType).toArray(Class[]::new);
            return type.getDeclaredConstructor(types).newInstance(values);
        } catch (InvocationTargetException e) {
            throw new FormatException("the file holds an operator that cannot be: " + e.getCause().getMessage(), e);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    private Object value(Type type, Object known) {
        if (type == int.class || type == Integer.class) {
            return integer(known == null ? 0 : (int) known);
        } else if (type == float.class || type == Float.class) {
            return Float.intBitsToFloat(coder.bits(Float.floatToRawIntBits(known == null ? 0 : (float) known), 32));
        } else if (type == boolean.class) {
            return coder.flag(known != null && (boolean) known);
        } else if (type instanceof ParameterizedType list) {
            return list(list.getActualTypeArguments()[0], (List<?>) known);
        } else if (((Class<?>) type).isRecord()) {
            return record((Class<?>) type, known);
        }
        Object[] constants = ((Class<?>) type).getEnumConstants();
        int number = coder.number(known == null ? 0 : ((Enum<?>) known).ordinal(), 2);
        if (number >= constants.length) {
            throw new FormatException("the file names constant " + number + " of " + constants.length
                    + ": use a newer version of Pare");
        }
        return constants[number];
    }

    private int integer(int known) {
        boolean negative = coder.flag(known < 0);
        int size = coder.number(negative ? ~known : known, 2);
        return negative ? ~size : size;
    }

    private List<Object> list(Type element, List<?> known) {
        int count = coder.number(known == null ? 0 : known.size(), 1);
        if (count > MAX_LIST) {
            throw new FormatException("the file declares a list of " + count + " numbers: it is damaged");
        }
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            values.add(value(element, known == null ? null : known.get(i)));
        }
        return values;
    }
}
