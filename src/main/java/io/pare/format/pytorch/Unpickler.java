package io.pare.format.pytorch;

import io.pare.file.FormatException;
import io.pare.mem.Heap;
import java.math.BigInteger;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a pickle of protocol 2 to 5 (Python's pickletools describes the opcodes) as plain values.
 *
 * <p>Integers become Long or BigInteger, floats Double, texts String, bytes {@code byte[]}; lists and sets List, dicts
 * Map in their order; tuples {@link Tuple}, None {@link Absent#NONE}. Persistent ids become {@link PickledStorage}, tensors
 * {@link PickledTensor}. Names are looked up in {@link Known} and nothing is run. Containers may hold themselves:
 * whoever walks them bounds the depth. Time and memory are proportional to the pickle's bytes.
 */
final class Unpickler {
    /** No byte of a pickle makes more than so many on the heap. */
    private static final int HEAP_BYTES = 96;
    private static final int OPCODES_BETWEEN_CHECKS = 1 << 12;
    private static final int MAX_INTEGER_BYTES = 255;
    private static final int MIN_PROTOCOL = 2;
    private static final int MAX_PROTOCOL = 5;

    private final ByteBuffer in;
    private final Map<String, PickledStorage> storages;
    private final Map<Long, Object> memo = new HashMap<>();
    private final List<List<Object>> below = new ArrayList<>();
    private List<Object> stack = new ArrayList<>();

    private Unpickler(ByteBuffer in, Map<String, PickledStorage> storages) {
        this.in = in;
        this.storages = storages;
    }

    /**
     * Reads one pickle and leaves the buffer behind it.
     *
     * @param in on the heap
     * @param storages gets those that the pickle names, by their keys
     * @throws FormatException without the file's name, if it is damaged, would run code, or is too large for the heap
     */
    static Object read(ByteBuffer in, Map<String, PickledStorage> storages) {
        in.order(ByteOrder.LITTLE_ENDIAN);
        int start = in.position();
        Unpickler machine = new Unpickler(in, storages);
        try {
            for (int done = 1; machine.step(); done++) {
                long bytes = (long) HEAP_BYTES * (in.position() - start);
                if (done % OPCODES_BETWEEN_CHECKS == 0 && !Heap.holds(bytes)) {
                    throw new FormatException("its pickle " + Heap.shortage(bytes));
                }
            }
            return machine.pop();
        } catch (BufferUnderflowException e) {
            throw new FormatException("its pickle is truncated, or longer than Pare reads"
                    + PyTorchFile.AGAIN, e);
        }
    }

    /** Does what an opcode says; false at the end. */
    private boolean step() {
        int at = in.position();
        int code = in.get() & 0xff;
        switch (code) {
            case 0x80 -> protocol(in.get() & 0xff);
            case 0x95 -> length(in.getLong());
            case '.' -> {
                return false;
            }
            case '(' -> mark();
            case '0' -> {
                if (stack.isEmpty()) {
                    toMark();
                } else {
                    pop();
                }
            }
            case '1' -> toMark();
            case '2' -> push(peek());
            case 'N' -> push(Absent.NONE);
            case 0x88 -> push(Boolean.TRUE);
            case 0x89 -> push(Boolean.FALSE);
            case 'J' -> push((long) in.getInt());
            case 'K' -> push((long) (in.get() & 0xff));
            case 'M' -> push((long) (in.getShort() & 0xffff));
            case 0x8a -> push(integer(in.get() & 0xff));
            case 0x8b -> push(integer(in.getInt()));
            case 'G' -> push(Double.longBitsToDouble(Long.reverseBytes(in.getLong())));
            case 0x8c -> push(text(in.get() & 0xff));
            case 'X' -> push(text(unsigned(in.getInt())));
            case 0x8d -> push(text(in.getLong()));
            // Strings of Python 2: keys and names among them.
            case 'U' -> push(text(in.get() & 0xff));
            case 'T' -> push(text(in.getInt()));
            case 'C' -> push(bytes(in.get() & 0xff));
            case 'B' -> push(bytes(unsigned(in.getInt())));
            case 0x8e, 0x96 -> push(bytes(in.getLong()));
            case ']', 0x8f -> push(new ArrayList<>());
            case 'l', 0x91 -> push(toMark());
            case 'a' -> {
                Object item = pop();
                peekList().add(item);
            }
            case 'e', 0x90 -> {
                List<Object> items = toMark();
                peekList().addAll(items);
            }
            case ')' -> push(Tuple.EMPTY);
            case 't' -> push(new Tuple(toMark()));
            case 0x85 -> push(tuple(1));
            case 0x86 -> push(tuple(2));
            case 0x87 -> push(tuple(3));
            case '}' -> push(new LinkedHashMap<>());
            case 'd' -> {
                List<Object> items = toMark();
                push(new LinkedHashMap<>());
                putAll(items);
            }
            case 's' -> putAll(tuple(2).items());
            case 'u' -> putAll(toMark());
            case 'h' -> push(recall(in.get() & 0xff));
            case 'j' -> push(recall(unsigned(in.getInt())));
            case 'q' -> memo.put((long) (in.get() & 0xff), peek());
            case 'r' -> memo.put(unsigned(in.getInt()), peek());
            case 0x94 -> memo.put((long) memo.size(), peek());
            case 'c' -> push(Known.of(line(), line()));
            case 0x93 -> global();
            case 'R', 0x81 -> call(arguments());
            case 0x92 -> {
                pop();
                call(arguments());
            }
            case 'b' -> build();
            case 'Q' -> storage();
            default -> throw new FormatException("its pickle has the opcode " + Integer.toHexString(code) + " at byte "
                    + at + ", which no state dict has" + PyTorchFile.REMEDY);
        }
        return true;
    }

    private static void protocol(int version) {
        if (version < MIN_PROTOCOL || version > MAX_PROTOCOL) {
            throw new FormatException("its pickle has protocol " + version + ", Pare reads " + MIN_PROTOCOL + " to "
                    + MAX_PROTOCOL + PyTorchFile.REMEDY);
        }
    }

    private static long unsigned(int value) {
        return Integer.toUnsignedLong(value);
    }

    /** A length, if as many bytes follow. */
    private int length(long bytes) {
        if (bytes < 0 || bytes > in.remaining()) {
            throw new FormatException("its pickle is truncated at byte " + in.position() + ", where " + bytes
                    + " bytes should follow" + PyTorchFile.AGAIN);
        }
        return (int) bytes;
    }

    private byte[] bytes(long length) {
        byte[] bytes = new byte[length(length)];
        in.get(bytes);
        return bytes;
    }

    private String text(long length) {
        return new String(bytes(length), StandardCharsets.UTF_8);
    }

    private Object integer(int length) {
        if (length < 0 || length > MAX_INTEGER_BYTES) {
            throw new FormatException("its pickle has an integer of " + length + " bytes");
        }
        byte[] bytes = bytes(length);
        if (length == 0) {
            return 0L;
        }
        byte[] reversed = new byte[length];
        for (int i = 0; i < length; i++) {
            reversed[i] = bytes[length - 1 - i];
        }
        BigInteger value = new BigInteger(reversed);
        return value.bitLength() < Long.SIZE ? (Object) value.longValue() : value;
    }

    private String line() {
        int start = in.position();
        while (in.get() != '\n') {
            // The line's end is looked for.
        }
        return new String(in.array(), in.arrayOffset() + start, in.position() - 1 - start, StandardCharsets.UTF_8);
    }

    private void push(Object value) {
        stack.add(value);
    }

    private static FormatException empty() {
        return new FormatException("its pickle takes more from its stack than it put there" + PyTorchFile.AGAIN);
    }

    private Object pop() {
        if (stack.isEmpty()) {
            throw empty();
        }
        return stack.removeLast();
    }

    private Object peek() {
        if (stack.isEmpty()) {
            throw empty();
        }
        return stack.getLast();
    }

    private void mark() {
        below.add(stack);
        stack = new ArrayList<>();
    }

    /** What was pushed since the last mark. */
    private List<Object> toMark() {
        if (below.isEmpty()) {
            throw empty();
        }
        List<Object> items = stack;
        stack = below.removeLast();
        return items;
    }

    private Tuple tuple(int size) {
        Object[] items = new Object[size];
        for (int i = size - 1; i >= 0; i--) {
            items[i] = pop();
        }
        return new Tuple(List.of(items));
    }

    private static FormatException notFitting() {
        return new FormatException("its pickle puts values into something that is no list or dict" + PyTorchFile.AGAIN);
    }

    @SuppressWarnings("unchecked")
    private List<Object> peekList() {
        if (!(peek() instanceof ArrayList<?> list)) {
            throw notFitting();
        }
        return (List<Object>) list;
    }

    @SuppressWarnings("unchecked")
    private void putAll(List<Object> keysAndValues) {
        if (!(peek() instanceof Map<?, ?> map) || keysAndValues.size() % 2 != 0) {
            throw notFitting();
        }
        for (int i = 0; i < keysAndValues.size(); i += 2) {
            Object key = keysAndValues.get(i);
            if (key instanceof List<?> || key instanceof Map<?, ?>) {
                throw new FormatException("its pickle has a list or a dict as the key of a dict");
            }
            ((Map<Object, Object>) map).put(key, keysAndValues.get(i + 1));
        }
    }

    private Object recall(long number) {
        Object value = memo.get(number);
        if (value == null) {
            throw new FormatException("its pickle asks for value " + number + ", which it did not keep"
                    + PyTorchFile.AGAIN);
        }
        return value;
    }

    private void global() {
        if (!(pop() instanceof String name) || !(pop() instanceof String module)) {
            throw new FormatException("its pickle calls something without a name");
        }
        push(Known.of(module, name));
    }

    private List<Object> arguments() {
        if (!(pop() instanceof Tuple tuple)) {
            throw new FormatException("its pickle calls something without a tuple of arguments");
        }
        return tuple.items();
    }

    private void call(List<Object> arguments) {
        if (!(pop() instanceof Known.Callable function)) {
            throw new FormatException("its pickle calls something that is no function");
        }
        push(function.call(arguments));
    }

    private void storage() {
        PickledStorage storage = PickledStorage.of(pop());
        PickledStorage before = storages.putIfAbsent(storage.key(), storage);
        if (before != null && !before.equals(storage)) {
            throw new FormatException("its pickle gives storage " + storage.key() + " two types or counts"
                    + PyTorchFile.AGAIN);
        }
        push(storage);
    }

    /** State of an object: PyTorch hangs versions of layers onto its dicts. Nothing is read from it. */
    private void build() {
        pop();
        if (!(peek() instanceof Map<?, ?>) && peek() != Absent.INERT && !(peek() instanceof PickledTensor)) {
            throw new FormatException("its pickle gives attributes to something that is no dict or tensor");
        }
    }
}
