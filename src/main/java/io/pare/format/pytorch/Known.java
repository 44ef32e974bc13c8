package io.pare.format.pytorch;

import io.pare.file.FormatException;
import io.pare.format.tensors.ElementType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The classes and functions of Python whose names may stand in a pickle. None of them is run: each says what it gives. */
sealed interface Known {
    /** Type of a storage; {@code null} for bytes. */
    record Storage(ElementType type) implements Known {}

    /** Type of a tensor's elements; {@code null} for one that Pare does not read. */
    record Type(ElementType type) implements Known {}

    /** What may be called. */
    enum Callable implements Known {
        DICT, LIST, SIZE, TENSOR, TENSOR_WITH_TYPE, PARAMETER, SUBCLASS, INERT;

        /** What a call gives. */
        Object call(List<Object> arguments) {
            return switch (this) {
                case DICT -> dict(arguments);
                case LIST -> new ArrayList<>();
                case SIZE -> first(arguments);
                case TENSOR -> PickledTensor.of(arguments, 0);
                case TENSOR_WITH_TYPE -> PickledTensor.of(arguments, 6);
                case PARAMETER -> first(arguments);
                // The function, the class, the function's arguments, and attributes.
                case SUBCLASS -> rebuilt(arguments);
                case INERT -> Absent.INERT;
            };
        }

        private static Object dict(List<Object> arguments) {
            if (!arguments.isEmpty() && arguments.getFirst() instanceof List<?>) {
                throw new FormatException("its pickle was written by Python 2" + PyTorchFile.REMEDY);
            }
            return new LinkedHashMap<>();
        }

        private static Object first(List<Object> arguments) {
            return arguments.isEmpty() ? Absent.NONE : arguments.getFirst();
        }

        private static Object rebuilt(List<Object> arguments) {
            if (arguments.size() < 3 || !(arguments.get(0) instanceof Callable function) || function == SUBCLASS
                    || !(arguments.get(2) instanceof Tuple own)) {
                throw new FormatException("its pickle rebuilds a tensor in a way that Pare does not know");
            }
            return function.call(own.items());
        }
    }

    /** Modules and names, a dot between them. */
    Map<String, Known> NAMES = names();

    /**
     * What a name stands for.
     *
     * @throws FormatException naming it, if Pare does not know it
     */
    static Known of(String module, String name) {
        Known known = NAMES.get(module + "." + name);
        if (known == null) {
            throw new FormatException("its pickle calls " + module + "." + name + ", which Pare never does"
                    + PyTorchFile.REMEDY);
        }
        return known;
    }

    private static Map<String, Known> names() {
        Map<String, Known> names = new LinkedHashMap<>();
        for (String module : List.of("torch.", "torch.cuda.")) {
            names.put(module + "DoubleStorage", new Storage(ElementType.F64));
            names.put(module + "FloatStorage", new Storage(ElementType.F32));
            names.put(module + "HalfStorage", new Storage(ElementType.F16));
            names.put(module + "BFloat16Storage", new Storage(ElementType.BF16));
            names.put(module + "LongStorage", new Storage(ElementType.I64));
            names.put(module + "IntStorage", new Storage(ElementType.I32));
            names.put(module + "ShortStorage", new Storage(ElementType.I16));
            names.put(module + "CharStorage", new Storage(ElementType.I8));
            names.put(module + "ByteStorage", new Storage(ElementType.U8));
            names.put(module + "BoolStorage", new Storage(ElementType.BOOL));
        }
        for (String bytes : List.of("torch.storage.UntypedStorage", "torch.UntypedStorage")) {
            names.put(bytes, new Storage(null));
        }
        Map.ofEntries(Map.entry("float64", ElementType.F64), Map.entry("float32", ElementType.F32),
                Map.entry("float16", ElementType.F16), Map.entry("bfloat16", ElementType.BF16),
                Map.entry("int64", ElementType.I64), Map.entry("int32", ElementType.I32),
                Map.entry("int16", ElementType.I16), Map.entry("int8", ElementType.I8),
                Map.entry("uint64", ElementType.U64), Map.entry("uint32", ElementType.U32),
                Map.entry("uint16", ElementType.U16), Map.entry("uint8", ElementType.U8),
                Map.entry("bool", ElementType.BOOL))
                .forEach((name, type) -> names.put("torch." + name, new Type(type)));
        for (String other : List.of("complex32", "complex64", "complex128", "float8_e4m3fn", "float8_e5m2")) {
            names.put("torch." + other, new Type(null));
        }
        names.put("collections.OrderedDict", Callable.DICT);
        names.put("collections.defaultdict", Callable.DICT);
        names.put("collections.Counter", Callable.DICT);
        names.put("torch.Size", Callable.SIZE);
        names.put("torch._utils._rebuild_tensor", Callable.TENSOR);
        names.put("torch._utils._rebuild_tensor_v2", Callable.TENSOR);
        names.put("torch._utils._rebuild_tensor_v3", Callable.TENSOR_WITH_TYPE);
        names.put("torch._utils._rebuild_parameter", Callable.PARAMETER);
        names.put("torch._utils._rebuild_parameter_with_state", Callable.PARAMETER);
        names.put("torch._tensor._rebuild_from_type_v2", Callable.SUBCLASS);
        names.put("torch.nn.parameter.Parameter", Callable.PARAMETER);
        names.put("torch.nn.parameter.Buffer", Callable.PARAMETER);
        for (String python : List.of("__builtin__.", "builtins.")) {
            names.put(python + "set", Callable.LIST);
            names.put(python + "frozenset", Callable.LIST);
            names.put(python + "list", Callable.LIST);
            names.put(python + "dict", Callable.DICT);
            for (String number : List.of("int", "float", "bool", "str", "bytearray", "complex")) {
                names.put(python + number, Callable.INERT);
            }
        }
        for (String value : List.of("torch.Tensor", "torch.device", "argparse.Namespace", "_codecs.encode",
                "numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
                "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")) {
            names.put(value, Callable.INERT);
        }
        return Map.copyOf(names);
    }
}
