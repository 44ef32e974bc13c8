package io.pare.format.pytorch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.format.pytorch.TorchFiles.Form;
import io.pare.format.tensors.NamedTensors;
import io.pare.mem.Region;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** State dicts written byte by byte: both forms, views and types, and pickles that mean harm. */
class PyTorchFileTest {
    @TempDir
    Path folder;

    private Path write(Form form, byte[] pickle, Map<String, byte[]> storages) throws IOException {
        return Files.write(folder.resolve("file.pth"), form.file(pickle, storages));
    }

    private float[] floats(Path path, String name) throws IOException {
        try (Region region = Region.confined("test"); NamedTensors file = PyTorchFile.open(path)) {
            return file.floats(name, region).toArray();
        }
    }

    private static String refusal(Path path) {
        String message = assertThrows(FormatException.class, () -> PyTorchFile.open(path).close()).getMessage();
        assertTrue(message.startsWith(path + ": ") && !message.contains("\n"), message);
        return message;
    }

    /** A pickle alone, as a file. */
    private String refusal(byte[] pickle) throws IOException {
        return refusal(write(Form.STORED, pickle, Map.of()));
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void tensorsOfBothFormsComeBackInTheirOrder(Form form) throws IOException {
        Map<String, float[]> values = new LinkedHashMap<>();
        values.put("z.weight", new float[]{1, -2, 3.5f, Float.MIN_VALUE, 5, 6});
        values.put("a.bias", new float[]{0.25f});
        values.put("empty", new float[0]);
        Path path = Files.write(folder.resolve("a.pth"), TorchFiles.floats(form, values,
                Map.of("z.weight", new long[]{2, 3}, "a.bias", new long[0], "empty", new long[]{0, 4})));
        try (Region region = Region.confined("test"); NamedTensors file = PyTorchFile.open(path)) {
            assertEquals(List.of("z.weight", "a.bias", "empty"), List.copyOf(file.names()));
            assertTrue(file.keepsOrder());
            assertArrayEquals(new long[]{2, 3}, file.shape("z.weight"));
            for (String name : file.names()) {
                assertArrayEquals(values.get(name), file.floats(name, region).toArray());
            }
            assertThrows(FormatException.class, () -> file.longs("a.bias"));
            assertTrue(assertThrows(FormatException.class, () -> file.shape("x")).getMessage().contains("z.weight"));
        }
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void viewsOfOneStorageAreCopied(Form form) throws IOException {
        PickleWriter pickle = new PickleWriter(2).dict();
        pickle.text("rows").tensor("FloatStorage", "7", 6, 0, new long[]{2, 3}, new long[]{3, 1});
        pickle.text("transposed").tensor("FloatStorage", "7", 6, 0, new long[]{3, 2}, new long[]{1, 3});
        pickle.text("column").tensor("FloatStorage", "7", 6, 1, new long[]{2}, new long[]{3});
        pickle.text("twice").tensor("FloatStorage", "7", 6, 5, new long[]{2}, new long[]{0});
        Path path = write(form, pickle.endDict().end(), Map.of("7", TorchFiles.bytes(0, 1, 2, 3, 4, 5)));
        assertArrayEquals(new float[]{0, 1, 2, 3, 4, 5}, floats(path, "rows"));
        assertArrayEquals(new float[]{0, 3, 1, 4, 2, 5}, floats(path, "transposed"));
        assertArrayEquals(new float[]{1, 4}, floats(path, "column"));
        assertArrayEquals(new float[]{5, 5}, floats(path, "twice"));
    }

    @ParameterizedTest
    @CsvSource({"DoubleStorage, 8, 3ff8000000000000, 1.5", "FloatStorage, 4, bfc00000, -1.5",
        "HalfStorage, 2, 0001, 5.9604645e-8", "BFloat16Storage, 2, c000, -2", "LongStorage, 8, ffffffffffffff00, -256",
        "IntStorage, 4, 80000000, -2147483648", "ShortStorage, 2, ff00, -256", "CharStorage, 1, 80, -128",
        "ByteStorage, 1, 80, 128", "BoolStorage, 1, 01, 1"})
    void everyTypeBecomesFloat(String type, int bytes, String hex, float value) throws IOException {
        byte[] big = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            big[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        byte[] little = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            little[i] = big[bytes - 1 - i];
        }
        byte[] pickle = new PickleWriter(2).dict().text("x").tensor(type, "0", 1, 0, new long[]{1}, new long[]{1})
                .endDict().end();
        assertArrayEquals(new float[]{value}, floats(write(Form.STORED, pickle, Map.of("0", little)), "x"));
        Map<String, byte[]> entries = Map.of("data.pkl", pickle, "data/0", big, "byteorder",
                "big".getBytes(StandardCharsets.US_ASCII));
        Path bigEndian = Files.write(folder.resolve("big.pth"), TorchFiles.zip(entries, "x/", false));
        assertArrayEquals(new float[]{value}, floats(bigEndian, "x"));
        if (value % 1 == 0 && !type.endsWith("FloatStorage") && !type.startsWith("BFloat")) {
            try (NamedTensors file = PyTorchFile.open(bigEndian)) {
                assertArrayEquals(new long[]{(long) value}, file.longs("x"));
            }
        }
    }

    @Test
    void storagesOfBytesTakeTheTypeThatTheirTensorSays() throws IOException {
        PickleWriter pickle = new PickleWriter(4).dict().text("x").global("torch._utils", "_rebuild_tensor_v3").op('(')
                .op('(').text("storage").global("torch.storage", "UntypedStorage").text("0").text("cpu").number(4)
                .ops("tQ").number(0).tuple(2).tuple(1).op(0x89).dict().endDict().global("torch", "uint16").ops("tR")
                .endDict();
        assertArrayEquals(new float[]{1, 65535},
                floats(write(Form.STORED, pickle.end(), Map.of("0", new byte[]{1, 0, -1, -1})), "x"));
    }

    /** A tensor of one float under a name. */
    private static PickleWriter one(PickleWriter pickle, String name) {
        return pickle.text(name).tensor("FloatStorage", "0", 1, 0, new long[]{1}, new long[]{1});
    }

    private static final Map<String, byte[]> ONE = Map.of("0", TorchFiles.bytes(4));

    @ParameterizedTest
    @ValueSource(strings = {"state_dict", "model_state_dict", "model", "net"})
    void theStateDictOfACheckpointIsEnteredAndWrappersAreTakenOff(String entry) throws IOException {
        PickleWriter pickle = new PickleWriter(2).op('}').op('(').text("epoch").number(7).text("best").op('G')
                .int64(0).text("args").global("argparse", "Namespace").op(')').op(0x81).op('}').op('(').text("lr")
                .ops("Nub").text("kinds").global("builtins", "frozenset").op('(').ops("]tR").text("optimizer").op('}')
                .op('(').text("state").ops("}u").text(entry).dict();
        one(pickle, "module._orig_mod.fc.weight");
        one(pickle, "module._orig_mod.fc.bias").text("module.extra").op('N').endDict();
        // Versions of the layers, as an attribute of the dict.
        byte[] bytes = pickle.op('}').op('(').text("_metadata").dict().endDict().ops("ubu").end();
        for (Form form : Form.values()) {
            try (NamedTensors file = PyTorchFile.open(write(form, bytes, ONE))) {
                assertEquals(List.of("fc.weight", "fc.bias"), List.copyOf(file.names()));
            }
        }
    }

    @Test
    void parametersAndTensorsWithAttributesAreTensors() throws IOException {
        PickleWriter pickle = new PickleWriter(2).dict().text("p").global("torch._utils", "_rebuild_parameter").op('(')
                .tensor("FloatStorage", "0", 1, 0, new long[]{1}, new long[]{1}).op(0x88).dict().endDict().ops("tR")
                .text("old").global("torch._utils", "_rebuild_tensor").op('(').storage("FloatStorage", "0", 1).number(0)
                .tuple(1).tuple(1).ops("tR").text("sub").global("torch._tensor", "_rebuild_from_type_v2").op('(')
                .global("torch._utils", "_rebuild_tensor_v2").global("torch", "Tensor").op('(')
                .storage("FloatStorage", "0", 1).number(0).global("torch", "Size").op('(').tuple(1).ops("tR").tuple(1)
                .op(0x89).op('N').op('t').op('}').ops("tR").endDict();
        Path path = write(Form.LEGACY, pickle.end(), ONE);
        for (String name : List.of("p", "old", "sub")) {
            assertArrayEquals(new float[]{4}, floats(path, name));
        }
    }

    /** The opcodes of protocols 4 and 5: frames, short texts, MEMOIZE, STACK_GLOBAL. */
    @ParameterizedTest
    @ValueSource(ints = {4, 5})
    void laterProtocolsAreRead(int protocol) throws IOException {
        PickleWriter body = new PickleWriter(protocol).op(0x95).int64(3).op('}').op(0x94).op('(').op(0x8c).op(1)
                .ops("w").op(0x94).op(0x8c).op(12).ops("torch._utils").op(0x94).op(0x8c).op(18)
                .ops("_rebuild_tensor_v2").op(0x94).op(0x93).op(0x94).op('(').op('(').text("storage").text("torch")
                .text("FloatStorage").op(0x93).op('h').op(1).text("cpu").op('K').op(1).ops("tQ").op('K').op(0).op('M')
                .op(1).op(0).op(0x85).op('K').op(1).op(0x85).op(0x89).op('N').ops("tR").op('u');
        assertArrayEquals(new float[]{4},
                floats(write(Form.STORED, body.end(), Map.of("w", TorchFiles.bytes(4))), "w"));
    }

    @Test
    void codeIsNamedAndNeverCalled() throws IOException {
        Path trace = folder.resolve("trace");
        byte[] system = new PickleWriter(2).global("posix", "system").op('(').text("touch " + trace).ops("tR").end();
        for (Form form : Form.values()) {
            String message = refusal(write(form, system, Map.of()));
            assertTrue(
                    message.contains("its pickle calls posix.system, which Pare never does; save the state dict alone:"
                            + " torch.save(model.state_dict(), 'x.pth')"),
                    message);
        }
        String message = refusal(new PickleWriter(4).text("builtins").text("eval").op(0x93).op('(').text("1").ops("tR")
                .end());
        assertTrue(message.contains("its pickle calls builtins.eval"), message);
        assertTrue(refusal(new PickleWriter(2).global("__main__", "Net").ops(")").op(0x81).end())
                .contains("calls __main__.Net"));
        // INST and OBJ of protocol 0, a registered extension, a buffer outside.
        for (String code : List.of("(ios\nsystem\n", "(o", "\u0082\1", "\u0097")) {
            assertTrue(refusal(new PickleWriter(2).ops(code).end()).contains("opcode"), code);
        }
        assertTrue(refusal(new PickleWriter(2).text("x").op(')').op('R').end()).contains("no function"));
        // A function as the state of a function, a call of what a call gave.
        assertTrue(refusal(new PickleWriter(2).global("torch", "device").ops(")R)R").end()).contains("no function"));
        assertTrue(refusal(new PickleWriter(2).global("torch", "device").ops("}b").end()).contains("attributes"));
        assertFalse(Files.exists(trace));
    }

    @Test
    void hugeLengthsAllocateNothing() throws IOException {
        UnaryOperator<PickleWriter> huge = pickle -> pickle.int64(Long.MAX_VALUE);
        for (int code : new int[]{0x8d, 0x8e, 0x96, 0x95}) {
            assertTrue(refusal(huge.apply(new PickleWriter(4).op(code)).end()).contains("truncated"));
        }
        for (int code : new int[]{'X', 'B', 'T'}) {
            assertTrue(refusal(new PickleWriter(2).op(code).int32(Integer.MAX_VALUE).end()).contains("truncated"));
        }
        assertTrue(refusal(new PickleWriter(2).op(0x8b).int32(1 << 30).end()).contains("integer"));
        byte[] far = new PickleWriter(2).ops("Nr").int32(-1).op('0').op('j').int32(-1).end();
        assertTrue(refusal(far).contains("no dict of tensors"));
        for (long[] shape : new long[][]{{1L << 40}, {1L << 40, 1L << 40}, {-1}, {Long.MAX_VALUE}, {1, -3}}) {
            long[] steps = new long[shape.length];
            byte[] pickle = new PickleWriter(2).dict().text("x").tensor("FloatStorage", "0", 1, 0, shape, steps)
                    .endDict().end();
            refusal(write(Form.STORED, pickle, ONE));
            byte[] more = new PickleWriter(2).dict().text("x").tensor("FloatStorage", "0", shape[0], 0, shape, steps)
                    .endDict().end();
            refusal(write(Form.LEGACY, more, ONE));
        }
        for (long[] place : new long[][]{{1, 1}, {-1, 1}, {Long.MAX_VALUE, 1}, {0, Long.MAX_VALUE}, {0, -1}}) {
            byte[] pickle = new PickleWriter(2).dict().text("x")
                    .tensor("FloatStorage", "0", 2, place[0], new long[]{2}, new long[]{place[1]}).endDict().end();
            refusal(write(Form.DEFLATED, pickle, Map.of("0", TorchFiles.bytes(1, 2))));
        }
    }

    @Test
    void nestsAndMemoBombsAreNotWalked() throws IOException {
        // Lists in lists, and dicts in dicts under the names of state dicts.
        assertTrue(refusal(new PickleWriter(2).ops("](".repeat(200_000)).ops("e".repeat(200_000)).end())
                .contains("no dict of tensors"));
        PickleWriter dicts = new PickleWriter(2);
        for (int i = 0; i < 20_000; i++) {
            dicts.op('}').text("net");
        }
        refusal(dicts.op('}').ops("s".repeat(20_000)).end());
        // A tuple of twice the one before, 60 times, as a key and as a value: 2^60 in full.
        PickleWriter bomb = new PickleWriter(2).op(')');
        for (int i = 0; i < 60; i++) {
            bomb.ops("2").op(0x86);
        }
        refusal(new PickleWriter(2).ops("}").ops(new String(bomb.ops("2s").end(), StandardCharsets.ISO_8859_1)).end());
        // A dict that is its own state dict.
        refusal(new PickleWriter(2).ops("}q").op(0).text("net").ops("h").op(0).op('s').end());
        refusal(new PickleWriter(2).ops("}]Ns").end());
    }

    @Test
    void brokenPicklesAreRefused() throws IOException {
        for (String codes : List.of("", "0", "1", "t", "R", "Nq", "h\5", "a", "Na", "}Na", "u", "}(Nu", "s", "b", "Q",
                "NQ", "NNs", "ctorch", "(NtQ", "\u0093", "NN\u0093", "\u0085", "NR", "]R", "K", "G")) {
            refusal(new PickleWriter(2).ops(codes).end());
            byte[] open = new PickleWriter(2).ops(codes).bytes();
            refusal(open);
        }
        assertTrue(refusal(new PickleWriter(0).ops("N").end()).contains("protocol 0"));
        assertTrue(refusal(new PickleWriter(6).ops("N").end()).contains("protocol 6"));
        assertTrue(refusal(new PickleWriter(2).dict().endDict().end()).contains("no dict of tensors"));
        assertTrue(refusal(new PickleWriter(2).op('(').text("module").ops("NNNNtQ").end()).contains("its code"));
        byte[] twoTypes = one(new PickleWriter(2).dict(), "x").text("y")
                .tensor("IntStorage", "0", 1, 0, new long[]{1}, new long[]{1}).endDict().end();
        assertTrue(refusal(write(Form.STORED, twoTypes, ONE)).contains("two types"));
    }

    @Test
    void archivesThatLackOrDamageAStorageAreRefused() throws IOException {
        byte[] pickle = one(new PickleWriter(2).dict(), "x").endDict().end();
        assertTrue(refusal(write(Form.STORED, pickle, Map.of()))
                .contains("tensor 'x': it lacks the entry archive/data/0"));
        assertTrue(refusal(write(Form.STORED, pickle, Map.of("0", new byte[3]))).contains("0 are there"));
        byte[] file = Form.STORED.file(pickle, Map.of("0", new byte[]{11, 22, 33, 44}));
        int at = new String(file, StandardCharsets.ISO_8859_1).indexOf("\u000b\u0016!,");
        file[at] ^= 1;
        Path path = Files.write(folder.resolve("damaged.pth"), file);
        assertTrue(assertThrows(FormatException.class, () -> floats(path, "x")).getMessage().contains("checksum"));
        Map<String, byte[]> other = Map.of("data.pkl", pickle, "data/0", new byte[4], "byteorder", new byte[]{'x'});
        assertTrue(refusal(Files.write(path, TorchFiles.zip(other, "", true))).contains("byteorder"));
    }

    @Test
    void everyTruncationIsRefused() throws IOException {
        byte[] pickle = one(new PickleWriter(2).dict(), "x").endDict().end();
        for (Form form : Form.values()) {
            byte[] whole = form.file(pickle, ONE);
            for (int length = 0; length < whole.length; length++) {
                Path path = Files.write(folder.resolve("cut.pth"), Arrays.copyOf(whole, length));
                refusal(path);
            }
        }
    }

    @Test
    void storagesOfTheOlderFormAgreeWithThePickle() throws IOException {
        byte[] pickle = one(new PickleWriter(2).dict(), "x").endDict().end();
        assertTrue(refusal(write(Form.LEGACY, pickle, Map.of())).contains("storage 0 is missing"));
        assertTrue(refusal(write(Form.LEGACY, pickle, Map.of("1", new byte[4]))).contains("no tensor uses"));
        byte[] file = Form.LEGACY.file(pickle, ONE);
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putLong(file.length - 12, 2);
        assertTrue(refusal(Files.write(folder.resolve("count.pth"), file)).contains("has 2 elements"));
    }
}
