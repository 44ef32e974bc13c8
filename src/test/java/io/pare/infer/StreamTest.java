package io.pare.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.format.pare.PareFile;
import io.pare.net.PrunedNets;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that come by a stream: the same checks as of a file. */
class StreamTest {
    private static final byte[] FILE = PareFile.encode(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 3));

    /** Gives a few bytes at a time and tells whether it was closed. */
    private static final class Slow extends FilterInputStream {
        private boolean closed;
        private long given;

        Slow(InputStream from) {
            super(from);
        }

        @Override
        public int read(byte[] into, int at, int length) throws IOException {
            int n = super.read(into, at, Math.min(7, length));
            given += Math.max(0, n);
            return n;
        }

        @Override
        public void close() throws IOException {
            closed = true;
            super.close();
        }
    }

    /** Goes on for ever. */
    private static final class Endless extends InputStream {
        private final byte[] begin;
        private long given;

        Endless(byte[] begin) {
            this.begin = begin;
        }

        @Override
        public int read() {
            int at = (int) Math.min(given++, begin.length);
            return at < begin.length ? begin[at] : 'x';
        }
    }

    @Test
    void aResourceOfAJarIsAModel(@TempDir Path folder) throws IOException {
        Path jar = folder.resolve("models.jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new ZipEntry("nets/digits.pare"));
            out.write(FILE);
        }
        float[] image = new float[784];
        Arrays.fill(image, 0.5f);
        try (URLClassLoader loader = new URLClassLoader(new URL[]{jar.toUri().toURL()}, null);
                InputStream stream = loader.getResourceAsStream("nets/digits.pare");
                CompressedModel loaded = CompressedModel.load(stream);
                CompressedModel direct = CompressedModel.of(PareFile.decode(FILE))) {
            assertArrayEquals(direct.predict(image), loaded.predict(image));
            assertThrows(NullPointerException.class,
                    () -> CompressedModel.load(loader.getResourceAsStream("nets/none.pare")));
        }
    }

    @Test
    void theStreamIsReadToItsEndAndStaysOpen() throws IOException {
        Slow stream = new Slow(new ByteArrayInputStream(FILE));
        CompressedModel.load(stream).close();
        assertFalse(stream.closed);
        assertEquals(FILE.length, stream.given);
        assertEquals(-1, stream.read());
    }

    private static String refused(InputStream stream, long most) {
        return assertThrows(FormatException.class, () -> CompressedModel.load(stream, most)).getMessage();
    }

    @Test
    void whatIsNoFileIsRefusedBeforeItIsReadWhole() {
        Endless rubbish = new Endless("<html>".getBytes());
        assertTrue(refused(rubbish, 1 << 30).contains("does not begin with 'PARE'"));
        assertTrue(rubbish.given < 100, rubbish.given + " bytes were read");
        assertTrue(refused(InputStream.nullInputStream(), 1 << 30).contains("not a .pare file"));
        assertTrue(refused(new ByteArrayInputStream(FILE, 0, 8), 1 << 30).contains("truncated"));
        byte[] damaged = FILE.clone();
        damaged[FILE.length / 2] ^= 1;
        assertTrue(refused(new ByteArrayInputStream(damaged), 1 << 30).contains("checksum"));
        byte[] newer = FILE.clone();
        newer[4] = 9;
        assertTrue(refused(new ByteArrayInputStream(newer), 1 << 30).contains("version 9"));
    }

    @Test
    void noMoreIsReadThanIsAllowed() throws IOException {
        CompressedModel.load(new ByteArrayInputStream(FILE), FILE.length).close();
        assertTrue(refused(new ByteArrayInputStream(FILE), FILE.length - 1)
                .contains("more than the " + (FILE.length - 1) + " bytes"));
        Endless endless = new Endless(FILE);
        assertTrue(refused(endless, 1 << 20).contains("more than the 1048576 bytes"));
        assertTrue(endless.given < 1_200_000, endless.given + " bytes were read");
        assertThrows(IllegalArgumentException.class, () -> CompressedModel.load(InputStream.nullInputStream(), 0));
    }

    @Test
    void aStreamThatBreaksIsReportedAsSuch() {
        InputStream broken = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("connection reset");
            }
        };
        assertEquals("connection reset",
                assertThrows(IOException.class, () -> CompressedModel.load(broken)).getMessage());
    }
}
