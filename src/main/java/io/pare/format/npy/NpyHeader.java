package io.pare.format.npy;

import io.pare.file.FormatException;
import io.pare.format.tensors.ByteSource;
import io.pare.format.tensors.ElementType;
import io.pare.format.tensors.StoredTensor;
import io.pare.format.tensors.Strides;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What stands before the elements of a .npy file, as NumPy's numpy.lib.format describes it: a magic text, two bytes of
 * version, the length of the rest in 2 or 4 bytes, and a Python dict of the type, the order and the shape.
 */
final class NpyHeader {
    static final String MAGIC = "\u0093NUMPY";

    private static final int MAX_BYTES = 1 << 16;
    private static final int ALIGNMENT = 64;
    private static final Pattern TYPE = field("descr", "'([^']*)'");
    private static final Pattern FORTRAN = field("fortran_order", "(True|False)");
    private static final Pattern SHAPE = field("shape", "\\(([^()]*)\\)");
    /** Sizes: digits, of Python 2 with an L, and a comma behind all but the last. */
    private static final Pattern SIZES = Pattern.compile("(?:\\d{1,18}L?\\s*,\\s*)*(?:\\d{1,18}L?\\s*)?");

    private NpyHeader() {}

    private static Pattern field(String name, String value) {
        return Pattern.compile("['\"]" + name + "['\"]\\s*:\\s*" + value);
    }

    /** The array that a file holds; {@link FormatException} without the file's name if it holds none that Pare reads. */
    static StoredTensor read(ByteSource file) throws IOException {
        byte[] start = new byte[(int) Math.min(file.size(), 12)];
        file.read(0, start);
        if (start.length < 12 || !new String(start, 0, 6, StandardCharsets.ISO_8859_1).equals(MAGIC)) {
            throw new FormatException("no array of NumPy: it does not begin with its magic text and a header");
        }
        int version = start[6];
        ByteBuffer length = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN);
        int from = version == 1 ? 10 : 12;
        long bytes = version == 1 ? length.getShort(8) & 0xffff : Integer.toUnsignedLong(length.getInt(8));
        if (version < 1 || version > 3) {
            throw new FormatException("an array of NumPy's format " + version + ", known are 1 to 3");
        }
        if (bytes > Math.min(MAX_BYTES, file.size() - from)) {
            throw new FormatException("truncated: its header should take " + bytes + " bytes and "
                    + (file.size() - from) + " follow: copy or download the file again");
        }
        byte[] text = new byte[(int) bytes];
        file.read(from, text);
        String dict = new String(text, version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1);
        return tensor(dict, new Behind(file, from + bytes));
    }

    private static StoredTensor tensor(String dict, ByteSource elements) {
        String type = find(TYPE, dict);
        long[] shape = shape(find(SHAPE, dict));
        Strides strides = find(FORTRAN, dict).equals("True") ? Strides.columnMajor(shape) : Strides.rowMajor(shape);
        ElementType element = element(type);
        if (strides.count() != elements.size() / element.bytes() || elements.size() % element.bytes() != 0) {
            throw new FormatException("has the shape " + Arrays.toString(shape) + " of type " + element + " and "
                    + elements.size() + " bytes of elements: copy or download the file again");
        }
        return new StoredTensor(element, type.startsWith(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN,
                strides, 0, elements);
    }

    private static String find(Pattern field, String dict) {
        Matcher found = field.matcher(dict);
        if (!found.find()) {
            throw new FormatException("has a header without a plain type, order and shape: " + dict.strip()
                    + "; write plain arrays of numbers");
        }
        return found.group(1);
    }

    private static long[] shape(String sizes) {
        if (!SIZES.matcher(sizes.strip()).matches()) {
            throw new FormatException("has no shape: (" + sizes + ")");
        }
        return Arrays.stream(sizes.split(",")).map(size -> size.replace("L", "").strip())
                .filter(size -> !size.isEmpty()).mapToLong(Long::parseLong).toArray();
    }

    private static ElementType element(String type) {
        return switch (type.isEmpty() ? type : type.substring(1)) {
            case "f8" -> ElementType.F64;
            case "f4" -> ElementType.F32;
            case "f2" -> ElementType.F16;
            case "i8" -> ElementType.I64;
            case "i4" -> ElementType.I32;
            case "i2" -> ElementType.I16;
            case "i1" -> ElementType.I8;
            case "u8" -> ElementType.U64;
            case "u4" -> ElementType.U32;
            case "u2" -> ElementType.U16;
            case "u1" -> ElementType.U8;
            case "b1" -> ElementType.BOOL;
            default -> throw new FormatException("has elements of type '" + type
                    + "'; Pare reads floats, integers and bool: in Python, convert by array.astype('float32')");
        };
    }

    /** The header of float32 in C order, to be followed by the elements, little-endian. */
    static byte[] ofFloats(long... shape) {
        String sizes = Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(", "));
        String dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + sizes + (shape.length == 1 ? ",), }"
                : "), }");
        int whole = Math.ceilDiv(10 + dict.length() + 1, ALIGNMENT) * ALIGNMENT;
        byte[] header = new byte[whole];
        Arrays.fill(header, (byte) ' ');
        header[whole - 1] = '\n';
        ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).put(MAGIC.getBytes(StandardCharsets.ISO_8859_1))
                .put((byte) 1).put((byte) 0).putShort((short) (whole - 10))
                .put(dict.getBytes(StandardCharsets.ISO_8859_1));
        return header;
    }

    /** What follows the header. */
    private record Behind(ByteSource file, long start) implements ByteSource {
        @Override
        public long size() {
            return file.size() - start;
        }

        @Override
        public void read(long at, byte[] into) throws IOException {
            file.read(start + at, into);
        }
    }
}
