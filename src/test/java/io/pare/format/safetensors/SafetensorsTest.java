package io.pare.format.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.format.tensors.ElementType;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    @TempDir
    Path folder;

    private Path raw(String header, int dataBytes) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + text.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(text.length).put(text);
        return Files.write(folder.resolve("raw.safetensors"), bytes.array());
    }

    private String failure(Path path) {
        FormatException e = assertThrows(FormatException.class, () -> Safetensors.open(path).close());
        assertTrue(e.getMessage().startsWith(path.toString()) && !e.getMessage().contains("\n"), e.getMessage());
        return e.getMessage();
    }

    @Test
    void roundTripsBitsShapesAndMetadata() throws IOException {
        Path path = folder.resolve("a.safetensors");
        try (Region region = Region.confined("test")) {
            FloatTensor tensor = region.tensor(2, 3).copyFrom(
                    new float[]{1f, -0f, Float.NaN, Float.MIN_VALUE, Float.POSITIVE_INFINITY, -3.5f});
            new Safetensors.Writer().metadata("b", "zwei \u00e4\"").metadata("a", "1")
                    .add("mask", ElementType.U8, new long[]{3}, MemorySegment.ofArray(new byte[]{1, 0, -1}))
                    .add("layer.weight", tensor).add("step", new long[]{7, Long.MIN_VALUE})
                    .add("empty", region.tensor(0, 4)).write(path);
            try (Safetensors file = Safetensors.open(path)) {
                assertEquals(Map.of("a", "1", "b", "zwei \u00e4\""), file.metadata());
                FloatTensor back = file.floats("layer.weight", region);
                assertEquals(-1, back.segment().mismatch(tensor.segment()));
                assertArrayEquals(new long[]{2, 3}, back.shape());
                assertArrayEquals(new long[]{7, Long.MIN_VALUE}, file.longs("step"));
                assertArrayEquals(new long[]{1, 0, 255}, file.longs("mask"));
                assertEquals(0, file.floats("empty", region).count());
                FloatTensor into = region.tensor(2, 3);
                file.floats("layer.weight", into);
                assertEquals(-1, into.segment().mismatch(tensor.segment()));
                assertThrows(FormatException.class, () -> file.floats("layer.weight", region.tensor(3, 2)));
                assertThrows(FormatException.class, () -> file.floats("mask", region));
                assertThrows(FormatException.class, () -> file.longs("layer.weight"));
                String message = assertThrows(FormatException.class, () -> file.entry("bias")).getMessage();
                assertTrue(message.contains("layer.weight"), message);
            }
            byte[] first = Files.readAllBytes(path);
            assertEquals(0, ByteBuffer.wrap(first).order(ByteOrder.LITTLE_ENDIAN).getLong() % 8);
            try (Stream<Path> files = Files.list(folder)) {
                assertEquals(1, files.count(), "the temporary file is gone");
            }
        }
    }

    @Test
    void narrowTypesWidenExactly() throws IOException {
        Path path = folder.resolve("narrow.safetensors");
        ByteBuffer half = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN)
                .putShort(Float.floatToFloat16(-1.5f)).putShort((short) 1);
        ByteBuffer brain = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN)
                .putShort((short) (Float.floatToIntBits(-2f) >>> 16)).putShort((short) 0x7f80);
        ByteBuffer wide = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putDouble(0.1);
        new Safetensors.Writer().add("half", ElementType.F16, new long[]{2}, MemorySegment.ofArray(half.array()))
                .add("brain", ElementType.BF16, new long[]{2}, MemorySegment.ofArray(brain.array()))
                .add("wide", ElementType.F64, new long[]{}, MemorySegment.ofArray(wide.array())).write(path);
        try (Region region = Region.confined("test"); Safetensors file = Safetensors.open(path)) {
            assertArrayEquals(new float[]{-1.5f, 0x1p-24f}, file.floats("half", region).toArray());
            assertArrayEquals(new float[]{-2f, Float.POSITIVE_INFINITY}, file.floats("brain", region).toArray());
            assertArrayEquals(new float[]{0.1f}, file.floats("wide", region).toArray());
        }
    }

    @Test
    void everyTruncationIsRefused() throws IOException {
        Path path = folder.resolve("whole.safetensors");
        try (Region region = Region.confined("test")) {
            new Safetensors.Writer().metadata("k", "v").add("t", region.tensor(3)).write(path);
        }
        byte[] whole = Files.readAllBytes(path);
        for (int length = 0; length < whole.length; length++) {
            failure(Files.write(path, Arrays.copyOf(whole, length)));
        }
        assertTrue(failure(Files.write(path, Arrays.copyOf(whole, whole.length + 1))).contains("1 bytes follow"));
        assertTrue(failure(Files.write(path, Arrays.copyOf(whole, whole.length - 1))).contains("again"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "[]|8|does not begin with",
        "{\"a\":|8|not valid JSON",
        "{\"a\":3}|8|not described by an object",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}|8|lacks one of",
        "{\"a\":{\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]}}|8|unknown type 'F33'",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}|8|found -2",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}|8|list of at most 16",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}|8|takes 12 bytes",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}|0|overflows",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,0]}}|0|valid JSON",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}|12|begins at byte 4",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}|12|inside the one before",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                + "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}|16|Duplicate",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}|8|unknown field 'x'",
        "{\"__metadata__\":{\"k\":1}}|0|not a string", "{} {}|0|closing brace"})
    void headersThatLieAreRefused(String header, int dataBytes, String expected) throws IOException {
        String message = failure(raw(header, dataBytes));
        assertTrue(message.contains(expected), message);
    }

    @Test
    void hugeHeaderLengthAllocatesNothing() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(Long.MAX_VALUE);
        Path path = Files.write(folder.resolve("huge.safetensors"), bytes.array());
        assertTrue(failure(path).contains("not a safetensors file"));
        Files.write(path, bytes.putLong(0, 99_999_999).array());
        assertTrue(failure(path).contains("truncated"));
    }

    @Test
    void missingFileAndWrongSizesAreNamed() {
        assertThrows(NoSuchFileException.class, () -> Safetensors.open(folder.resolve("none")));
        assertThrows(FormatException.class, () -> Safetensors.open(folder));
        Safetensors.Writer writer = new Safetensors.Writer();
        MemorySegment four = MemorySegment.ofArray(new byte[4]);
        assertThrows(IllegalArgumentException.class, () -> writer.add("x", ElementType.F32, new long[]{2}, four));
        writer.add("x", ElementType.F32, new long[]{1}, four);
        assertThrows(IllegalArgumentException.class, () -> writer.add("x", ElementType.F32, new long[]{1}, four));
    }
}
