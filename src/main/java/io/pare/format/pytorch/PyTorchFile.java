package io.pare.format.pytorch;

import io.pare.file.FormatException;
import io.pare.format.tensors.ByteSource;
import io.pare.format.tensors.FileSource;
import io.pare.format.tensors.StoredTensor;
import io.pare.format.tensors.StoredTensors;
import io.pare.format.tensors.ZipArchive;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Reads the tensors of a state dict that {@code torch.save} wrote.
 *
 * <p>Two forms are known. Since PyTorch 1.6 a file is a ZIP archive: a pickle {@code data.pkl}, and below {@code data/} a
 * storage for each key that it names. Before, it was five pickles in a row (a magic number, a version, the writer's
 * system, the object, the keys), and behind them each storage: its count as int64 and its elements. Storages of both are
 * little-endian; an archive may say otherwise.
 *
 * <p>The object is a dict of tensors, or a checkpoint with such a dict as its entry {@code state_dict},
 * {@code model_state_dict}, {@code model} or {@code net}, the first of these that it has. Entries that are no tensors are
 * left out. Where all names begin with {@code module.} or {@code _orig_mod.}, which wrappers of a network put there, they
 * lose it.
 */
public final class PyTorchFile {
    /** What a user can do about a file with more than a state dict, to end a message. */
    static final String REMEDY = "; save the state dict alone: torch.save(model.state_dict(), 'x.pth')";

    /** What a user can do about a damaged file, to end a message. */
    static final String AGAIN = ": copy or download the file again";

    /** Begins the older form, as the magic number 0x1950a86a20f9469cfc6c. */
    private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
    private static final long VERSION = 1001;
    private static final byte[] NUMBER = {(byte) 0x8a, 10, 0x6c, (byte) 0xfc, (byte) 0x9c, 0x46, (byte) 0xf9, 0x20,
        0x6a, (byte) 0xa8, 0x50, 0x19};
    /** Behind the protocol, and behind the length of a frame since protocol 4. */
    private static final int NUMBER_AT = 2;
    private static final int FRAMED_NUMBER_AT = 11;
    /** Number of first bytes that {@link #isLegacy} looks at. */
    public static final int SNIFFED_BYTES = FRAMED_NUMBER_AT + NUMBER.length;

    private static final int MAX_PICKLE_BYTES = 1 << 24;
    private static final String PICKLE = "data.pkl";

    private static final List<String> STATE_DICTS = List.of("state_dict", "model_state_dict", "model", "net");
    private static final List<String> WRAPPERS = List.of("module.", "_orig_mod.");
    private static final int MAX_DEPTH = 8;

    private PyTorchFile() {}

    /**
     * {@return whether a file with these first bytes has the older form}
     *
     * @param start of a file
     */
    public static boolean isLegacy(byte[] start) {
        return start.length >= SNIFFED_BYTES && start[0] == (byte) 0x80
                && (hasNumber(start, NUMBER_AT) || hasNumber(start, FRAMED_NUMBER_AT));
    }

    private static boolean hasNumber(byte[] start, int at) {
        return Arrays.equals(start, at, at + NUMBER.length, NUMBER, 0, NUMBER.length);
    }

    /**
     * {@return whether an archive has the newer form}
     *
     * @param archive any archive
     */
    public static boolean isIn(ZipArchive archive) {
        return archive.names().stream().anyMatch(PyTorchFile::isPickle);
    }

    private static boolean isPickle(String entry) {
        return entry.equals(PICKLE) || entry.endsWith("/" + PICKLE);
    }

    /**
     * Opens a file of either form and reads its pickle; tensors are read when they are asked for.
     *
     * @param path of the file
     * @return the open file, which the caller closes
     * @throws IOException if the file cannot be read
     */
    public static StoredTensors open(Path path) throws IOException {
        try {
            byte[] start;
            FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
            try {
                start = head(channel, SNIFFED_BYTES);
                if (isLegacy(start)) {
                    return new StoredTensors(path, legacy(channel), channel);
                }
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
            channel.close();
            ZipArchive archive = ZipArchive.open(path);
            try {
                return new StoredTensors(path, zipped(archive), archive::close);
            } catch (IOException | RuntimeException e) {
                archive.close();
                throw e;
            }
        } catch (FormatException e) {
            throw new FormatException(path + ": " + e.getMessage(), e);
        }
    }

    private static byte[] head(FileChannel channel, int most) throws IOException {
        byte[] head = new byte[(int) Math.min(most, channel.size())];
        new FileSource(channel, 0, head.length).read(0, head);
        return head;
    }

    private static Map<String, StoredTensor> zipped(ZipArchive archive) throws IOException {
        String pickle = archive.names().stream().filter(PyTorchFile::isPickle).findFirst()
                .orElseThrow(() -> new FormatException("a ZIP file without a " + PICKLE + ", so not PyTorch's"));
        String folder = pickle.substring(0, pickle.length() - PICKLE.length());
        Object root = Unpickler.read(ByteBuffer.wrap(archive.bytes(pickle, MAX_PICKLE_BYTES)), new HashMap<>());
        ByteOrder order = archive.contains(folder + "byteorder") ? order(archive.bytes(folder + "byteorder", 16))
                : ByteOrder.LITTLE_ENDIAN;
        return tensors(root, order, storage -> archive.source(folder + "data/" + storage.key()));
    }

    private static ByteOrder order(byte[] word) {
        String order = new String(word, StandardCharsets.US_ASCII).strip();
        if (!order.equals("little") && !order.equals("big")) {
            throw new FormatException("its entry byteorder says '" + order + "', neither little nor big");
        }
        return order.equals("big") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    }

    private static Map<String, StoredTensor> legacy(FileChannel channel) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(head(channel, MAX_PICKLE_BYTES));
        Map<String, PickledStorage> storages = new HashMap<>();
        Object magic = Unpickler.read(in, storages);
        Object version = Unpickler.read(in, storages);
        Object system = Unpickler.read(in, storages);
        if (!MAGIC.equals(magic) || !version.equals(VERSION)) {
            throw new FormatException("it has another magic number or version than " + VERSION + REMEDY);
        }
        if (system instanceof Map<?, ?> said && Boolean.FALSE.equals(said.get("little_endian"))) {
            throw new FormatException("it was written on a big-endian machine" + REMEDY);
        }
        Object root = Unpickler.read(in, storages);
        Object keys = Unpickler.read(in, storages);
        Map<String, ByteSource> found = sources(channel, keys, storages, in.position());
        return tensors(root, ByteOrder.LITTLE_ENDIAN, storage -> {
            ByteSource source = found.get(storage.key());
            if (source == null) {
                throw new FormatException("its storage " + storage.key() + " is missing" + AGAIN);
            }
            return source;
        });
    }

    /** Where each storage lies: they stand in the order of the keys, each behind its count. */
    private static Map<String, ByteSource> sources(FileChannel channel, Object keys,
            Map<String, PickledStorage> storages, long start) throws IOException {
        if (!(keys instanceof List<?> order)) {
            throw new FormatException("its list of storages is none" + AGAIN);
        }
        Map<String, ByteSource> found = new HashMap<>();
        byte[] count = new byte[Long.BYTES];
        long at = start;
        for (Object key : order) {
            PickledStorage storage = key instanceof String || key instanceof Long ? storages.get(key.toString()) : null;
            if (storage == null || storage.type() == null || found.containsKey(storage.key())) {
                throw new FormatException("its list of storages has one that no tensor uses, or one twice" + AGAIN);
            }
            long left = channel.size() - at - Long.BYTES;
            if (left < 0 || storage.count() > left / storage.type().bytes()) {
                throw new FormatException("truncated: storage " + storage.key() + " of " + storage.count()
                        + " elements begins at byte " + at + " and " + Math.max(0, left) + " bytes follow" + AGAIN);
            }
            new FileSource(channel, at, Long.BYTES).read(0, count);
            long said = ByteBuffer.wrap(count).order(ByteOrder.LITTLE_ENDIAN).getLong();
            if (said != storage.count()) {
                throw new FormatException("storage " + storage.key() + " has " + said + " elements, its pickle says "
                        + storage.count() + AGAIN);
            }
            long bytes = storage.count() * storage.type().bytes();
            found.put(storage.key(), new FileSource(channel, at + Long.BYTES, bytes));
            at += Long.BYTES + bytes;
        }
        return found;
    }

    private static Map<String, StoredTensor> tensors(Object root, ByteOrder order,
            Function<PickledStorage, ByteSource> sources) {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        stateDict(root).forEach((name, tensor) -> {
            try {
                tensors.put(name, new StoredTensor(tensor.type(), order, tensor.strides(), tensor.offset(),
                        sources.apply(tensor.storage())));
            } catch (FormatException e) {
                throw new FormatException("tensor '" + name + "': " + e.getMessage(), e);
            }
        });
        return tensors;
    }

    /** The tensors of the dict, or of the one within it, under the names that the network itself gives them. */
    private static Map<String, PickledTensor> stateDict(Object root) {
        Object dict = root;
        for (int depth = 0; dict instanceof Map<?, ?> map && depth < MAX_DEPTH; depth++) {
            Map<String, PickledTensor> tensors = new LinkedHashMap<>();
            map.forEach((name, value) -> {
                if (name instanceof String && value instanceof PickledTensor tensor) {
                    tensors.put((String) name, tensor);
                }
            });
            if (!tensors.isEmpty()) {
                return unwrapped(tensors);
            }
            dict = STATE_DICTS.stream().map(map::get).filter(Map.class::isInstance).findFirst().orElse(null);
        }
        throw new FormatException("it holds no dict of tensors by their names, itself or as its entry "
                + String.join(", ", STATE_DICTS) + REMEDY);
    }

    private static Map<String, PickledTensor> unwrapped(Map<String, PickledTensor> tensors) {
        Map<String, PickledTensor> inner = tensors;
        for (Optional<String> wrapper = wrapper(inner); wrapper.isPresent(); wrapper = wrapper(inner)) {
            int length = wrapper.get().length();
            Map<String, PickledTensor> renamed = new LinkedHashMap<>();
            inner.forEach((name, tensor) -> renamed.put(name.substring(length), tensor));
            inner = renamed;
        }
        return inner;
    }

    private static Optional<String> wrapper(Map<String, PickledTensor> tensors) {
        return WRAPPERS.stream().filter(wrapper -> tensors.keySet().stream().allMatch(name -> name.startsWith(wrapper)))
                .findFirst();
    }
}
