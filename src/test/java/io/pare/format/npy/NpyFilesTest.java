package io.pare.format.npy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.format.tensors.NamedTensors;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Arrays of NumPy, written byte by byte as numpy.lib.format describes them. */
class NpyFilesTest {
    @TempDir
    Path folder;

    /** A file with this dict as its header. */
    static byte[] npy(int version, String dict, byte... elements) {
        byte[] text = (dict + "\n").getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate((version == 1 ? 10 : 12) + text.length + elements.length)
                .order(ByteOrder.LITTLE_ENDIAN);
        file.put(new byte[]{(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) version, 0});
        if (version == 1) {
            file.putShort((short) text.length);
        } else {
            file.putInt(text.length);
        }
        return file.put(text).put(elements).array();
    }

    static String dict(String type, boolean fortran, String shape) {
        return "{'descr': '" + type + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape
                + ", }";
    }

    private NamedTensors open(byte[] file) throws IOException {
        return NpyFile.open(Files.write(folder.resolve("a.npy"), file));
    }

    private float[] floats(byte[] file) throws IOException {
        try (NamedTensors array = open(file); Region region = Region.confined("test")) {
            return array.floats(NpyFile.ARRAY, region).toArray();
        }
    }

    private String refusal(byte[] file) {
        String message = assertThrows(FormatException.class, () -> open(file).close()).getMessage();
        assertTrue(message.startsWith(folder.resolve("a.npy") + ": ") && !message.contains("\n"), message);
        return message;
    }

    @ParameterizedTest
    @CsvSource({"<f8, 000000000000f83f, 1.5", ">f8, 3ff8000000000000, 1.5", "<f4, 0000c0bf, -1.5",
        ">f4, bfc00000, -1.5",
        "<f2, 0100, 5.9604645e-8", ">f2, 0001, 5.9604645e-8", "<i8, 00ffffffffffffff, -256",
        ">i4, 80000000, -2147483648",
        "<i2, 00ff, -256", "|i1, 80, -128", "<u8, 0000000000000080, 9223372036854775808", ">u4, 80000000, 2147483648",
        "<u2, 00ff, 65280", "|u1, 80, 128", "|b1, 01, 1"})
    void everyTypeBecomesFloat(String type, String hex, float value) throws IOException {
        byte[] element = HexFormat.of().parseHex(hex);
        for (int version = 1; version <= 3; version++) {
            byte[] file = npy(version, dict(type, false, "(1,)"), element);
            assertArrayEquals(new float[]{value}, floats(file));
            if (type.matches(".(i.|u[124]|b1)")) {
                try (NamedTensors array = open(file)) {
                    assertArrayEquals(new long[]{(long) value}, array.longs(NpyFile.ARRAY));
                }
            } else {
                assertThrows(FormatException.class, () -> open(file).longs(NpyFile.ARRAY));
            }
        }
    }

    @Test
    void ordersAndShapesAreKept() throws IOException {
        byte[] six = {0, 1, 2, 3, 4, 5};
        assertArrayEquals(new float[]{0, 1, 2, 3, 4, 5}, floats(npy(1, dict("|u1", false, "(2, 3)"), six)));
        assertArrayEquals(new float[]{0, 2, 4, 1, 3, 5}, floats(npy(1, dict("|u1", true, "(2, 3)"), six)));
        assertArrayEquals(new float[]{0, 2, 4, 1, 3, 5}, floats(npy(1, dict("|u1", true, "(2, 1, 3)"), six)));
        try (NamedTensors array = open(npy(1, dict("|u1", false, "(6L,)"), six))) {
            assertArrayEquals(new long[]{6}, array.shape(NpyFile.ARRAY));
        }
        try (NamedTensors array = open(npy(1, dict("|u1", false, "()"), (byte) 7))) {
            assertArrayEquals(new long[0], array.shape(NpyFile.ARRAY));
            assertArrayEquals(new long[]{7}, array.longs(NpyFile.ARRAY));
        }
        assertEquals(0, floats(npy(1, dict("<f4", true, "(0, 3)"))).length);
    }

    @Test
    void whatIsWrittenComesBackAndIsWhatNumPyWrites() throws IOException {
        Path npy = folder.resolve("w.npy");
        Path npz = folder.resolve("w.npz");
        try (Region region = Region.confined("test")) {
            FloatTensor many = region.tensor(3, 1, 20_000);
            for (int i = 0; i < 60_000; i++) {
                many.set(i, i * 0.1f - 7);
            }
            FloatTensor one = region.tensor().fill(-0f);
            NpyFile.write(npy, many);
            byte[] bytes = Files.readAllBytes(npy);
            String header = new String(bytes, 10, 118, StandardCharsets.ISO_8859_1);
            assertEquals("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1, 20000), }", header.strip());
            assertTrue(header.endsWith(" \n") && bytes.length == 128 + 240_000);
            try (NamedTensors array = NpyFile.open(npy)) {
                assertEquals(-1, array.floats(NpyFile.ARRAY, region).segment().mismatch(many.segment()));
            }
            Map<String, FloatTensor> arrays = new LinkedHashMap<>();
            arrays.put("z.weight", many);
            arrays.put("a", one);
            NpzFile.write(npz, arrays);
            byte[] first = Files.readAllBytes(npz);
            try (NamedTensors file = NpzFile.open(npz)) {
                assertEquals(List.of("z.weight", "a"), List.copyOf(file.names()));
                assertEquals(-1, file.floats("z.weight", region).segment().mismatch(many.segment()));
                assertEquals(-1, file.floats("a", region).segment().mismatch(one.segment()));
                assertArrayEquals(new long[]{3, 1, 20_000}, file.shape("z.weight"));
            }
            NpzFile.write(npz, arrays);
            assertArrayEquals(first, Files.readAllBytes(npz));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"|O", "<c8", "|S3", "<U4", "f4", "", "<f16", "<M8[ns]"})
    void otherTypesAreRefused(String type) {
        assertTrue(refusal(npy(1, dict(type, false, "(1,)"), new byte[8])).contains("elements of type '" + type + "'"));
    }

    @Test
    void headersThatLieAreRefused() {
        for (String shape : List.of("(-1,)", "(2.0,)", "(2, x)", "(3,)", "(9999999999999999999,)",
                "(999999999999999999, 999999999999999999)", "(0, 999999999999999999, 999999999999999999)",
                "(1" + ", 1".repeat(16) + ")", "2")) {
            refusal(npy(1, dict("|u1", false, shape), new byte[2]));
            refusal(npy(2, dict("<f8", true, shape), new byte[2]));
        }
        assertTrue(refusal(npy(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", new byte[4]))
                .contains("plain"));
        assertTrue(refusal(npy(4, dict("|u1", false, "(2,)"), new byte[2])).contains("format 4"));
        byte[] huge = npy(2, dict("|u1", false, "(2,)"), new byte[2]);
        ByteBuffer.wrap(huge).order(ByteOrder.LITTLE_ENDIAN).putInt(8, -1);
        assertTrue(refusal(huge).contains("truncated"));
        byte[] whole = npy(1, dict("<f4", false, "(2,)"), new byte[8]);
        for (int length = 0; length < whole.length; length++) {
            refusal(Arrays.copyOf(whole, length));
        }
        assertTrue(refusal(Arrays.copyOf(whole, whole.length + 1)).contains("9 bytes"));
        byte[] large = npy(1, dict("<u8", false, "(1,)"), HexFormat.of().parseHex("ffffffffffffffff"));
        assertTrue(assertThrows(FormatException.class, () -> open(large).longs(NpyFile.ARRAY)).getMessage()
                .contains("18446744073709551615"));
    }
}
