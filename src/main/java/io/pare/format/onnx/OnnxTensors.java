package io.pare.format.onnx;

import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.format.protobuf.Protobuf.Numbers;
import io.pare.format.protobuf.Protobuf.Reader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Reads the messages of tensors, whose elements lie in the message or in a file beside the model. */
final class OnnxTensors {
    private static final int EXTERNAL = 1;

    private final Path folder;

    /** @param folder of the model and the files that it names; null if there is none */
    OnnxTensors(Path folder) {
        this.folder = folder;
    }

    /** Bounds how much more than the file itself its content may take. */
    interface Budget {
        /** Refuses with {@link FormatException} what would be too much. */
        void take(long bytes);

        /** The same for elements that the file does not hold, but has made or repeated. */
        void make(long bytes);
    }

    /** Numbers of four or eight bytes; the usual single run of them is not copied. */
    static final class FixedWidth {
        private ByteBuffer first;
        private ByteArrayOutputStream all;

        void add(Reader in) {
            ByteBuffer next = in.buffer();
            if (first == null) {
                first = next;
                return;
            }
            if (all == null) {
                all = new ByteArrayOutputStream();
                copy(first);
            }
            copy(next);
        }

        private void copy(ByteBuffer from) {
            byte[] run = new byte[from.remaining()];
            from.get(from.position(), run);
            all.writeBytes(run);
        }

        /** Null if there are none. */
        ByteBuffer bytes() {
            return all == null ? first : ByteBuffer.wrap(all.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
        }

        float[] floats() {
            ByteBuffer bytes = bytes();
            float[] values = new float[bytes == null ? 0 : bytes.remaining() / Float.BYTES];
            if (bytes != null) {
                bytes.asFloatBuffer().get(values);
            }
            return values;
        }
    }

    /** Reads a tensor, after a check of its sizes against its bytes. */
    OnnxConstant read(Reader in) {
        Numbers sizes = new Numbers();
        Numbers integers = new Numbers();
        Numbers longs = new Numbers();
        Numbers unsigned = new Numbers();
        FixedWidth floats = new FixedWidth();
        FixedWidth doubles = new FixedWidth();
        ByteBuffer raw = null;
        long code = 0;
        String name = "";
        boolean external = false;
        Map<String, String> place = new HashMap<>();
        while (in.next()) {
            switch (in.field()) {
                case 1 -> in.numbers(sizes);
                case 2 -> code = in.number();
                case 4 -> floats.add(in);
                case 5 -> in.numbers(integers);
                case 7 -> in.numbers(longs);
                case 8 -> name = in.text();
                case 9 -> raw = in.bytes();
                case 10 -> doubles.add(in);
                case 11 -> in.numbers(unsigned);
                case 13 -> OnnxGraph.readProperty(in.message(), place);
                case 14 -> external = in.number() == EXTERNAL;
                default -> {
                    // Documentation, texts.
                }
            }
        }
        String what = name.isEmpty() ? "a tensor" : "tensor '" + name + "'";
        Type type = Type.of(code);
        if (type == null) {
            throw new FormatException(what + " has the element type " + code + " of ONNX, which Pare does not read");
        }
        long[] shape = sizes.toArray();
        int count = OnnxConstant.count(what, shape);
        if (external) {
            return new OnnxConstant(type, shape, type.unpacked(external(what, place, type.bytes(count)), count));
        }
        ByteBuffer typed = switch (type.field()) {
            case FLOATS -> floats.bytes();
            case DOUBLES -> doubles.bytes();
            case INTEGERS -> narrow(integers, type);
            case LONGS -> narrow(longs, type);
            case UNSIGNED_LONGS -> narrow(unsigned, type);
        };
        boolean twice = raw != null && raw.hasRemaining() && typed != null && typed.hasRemaining();
        ByteBuffer data = raw != null && raw.hasRemaining() ? raw : typed;
        int given = data == null ? 0 : data.remaining();
        if (twice || given != type.bytes(count)) {
            throw new FormatException(what + " of shape " + Arrays.toString(shape) + " and type " + type + " needs "
                    + type.bytes(count) + " bytes, " + (twice ? "twice as many" : given)
                    + " are there: the file is damaged");
        }
        return new OnnxConstant(type, shape, data == null ? ByteBuffer.allocate(0) : type.unpacked(data, count));
    }

    /** Integers of a message as elements of their type: 16-bit floating-point numbers are integers there too. */
    private static ByteBuffer narrow(Numbers values, Type type) {
        ByteBuffer into = ByteBuffer.allocate(Math.multiplyExact(values.size(), type.width()))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < values.size(); i++) {
            switch (type.width()) {
                case 1 -> into.put((byte) values.get(i));
                case 2 -> into.putShort((short) values.get(i));
                case 4 -> into.putInt((int) values.get(i));
                default -> into.putLong(values.get(i));
            }
        }
        return into.flip();
    }

    /** Reads a tensor of which only some elements are given, by number or by their place in each dimension. */
    OnnxConstant readSparse(Reader in, Budget budget) {
        OnnxConstant values = null;
        OnnxConstant indices = null;
        Numbers sizes = new Numbers();
        String name = "";
        while (in.next()) {
            switch (in.field()) {
                case 1 -> {
                    name = OnnxGraph.tensorName(in.message());
                    values = read(in.message());
                }
                case 2 -> indices = read(in.message());
                case 3 -> in.numbers(sizes);
                default -> {
                    // Nothing else is defined.
                }
            }
        }
        long[] shape = sizes.toArray();
        String what = "the sparse tensor '" + name + "'";
        int count = OnnxConstant.count(what, shape);
        long[] flat = indices == null ? null : indices.integers();
        int given = values == null ? 0 : values.count();
        boolean byPlace = indices != null && indices.shape().length == 2;
        if (values == null || flat == null || flat.length != (long) given * (byPlace ? shape.length : 1)) {
            throw new FormatException(what + " of shape " + Arrays.toString(shape) + " has " + given + " values and "
                    + (flat == null ? "no" : flat.length) + " indices: the file is damaged");
        }
        budget.take((long) count * values.type().width());
        int[] places = new int[given];
        for (int i = 0; i < given; i++) {
            long place = 0;
            for (int d = 0; d < (byPlace ? shape.length : 1); d++) {
                long size = byPlace ? shape[d] : count;
                long index = flat[byPlace ? i * shape.length + d : i];
                if (index < 0 || index >= size) {
                    throw new FormatException(what + " of shape " + Arrays.toString(shape) + " has index " + index
                            + ", which lies outside");
                }
                place = place * size + index;
            }
            places[i] = (int) place;
        }
        return values.scattered(places, count, shape);
    }

    /** The elements of a tensor that lie in another file. */
    private ByteBuffer external(String what, Map<String, String> place, long bytes) {
        String location = place.getOrDefault("location", "");
        String where = what + " lies in another file, '" + location + "' (external data)";
        if (folder == null) {
            throw new FormatException(where + ": give the model as a file, with that one beside it");
        }
        try {
            Path root = folder.toRealPath();
            Path given = Path.of(location);
            Path file = root.resolve(given).normalize();
            if (given.isAbsolute() || location.isEmpty() || !file.startsWith(root)) {
                throw new FormatException(where + ", which is not in the model's folder");
            }
            if (!Files.isRegularFile(file)) {
                throw new FormatException(where + ", which is not there");
            }
            if (!file.toRealPath().startsWith(root)) {
                throw new FormatException(where + ", a link out of the model's folder");
            }
            try (FileChannel channel = FileChannel.open(file)) {
                long offset = Long.parseLong(place.getOrDefault("offset", "0"));
                long length = Long.parseLong(place.getOrDefault("length", Long.toString(bytes)));
                if (length != bytes || offset < 0 || offset > channel.size() - bytes) {
                    throw new FormatException(where + " and needs " + bytes + " bytes; it is to have " + length
                            + " from byte " + offset + " of " + channel.size());
                }
                ByteBuffer data = ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
                while (data.hasRemaining() && channel.read(data, offset + data.position()) > 0) {
                    // Reads on.
                }
                if (data.hasRemaining()) {
                    throw new FormatException(where + ", which became shorter");
                }
                return data.flip();
            }
        } catch (NumberFormatException e) {
            throw new FormatException(where + " from byte '" + place.get("offset") + "' with '" + place.get("length")
                    + "' bytes, which are no numbers", e);
        } catch (IOException | InvalidPathException e) {
            throw new FormatException(where + ", which cannot be read: " + e.getMessage(), e);
        }
    }
}
