package io.pare.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DownloadTest {
    @TempDir
    Path folder;

    private final byte[] content = new byte[300_000];
    private final List<String> ranges = new ArrayList<>();
    private HttpServer server;
    private URI source;
    private Path target;
    private String sha256;
    private boolean rangesKnown = true;
    private int sendAtMost = Integer.MAX_VALUE;
    private int status = 200;

    @BeforeEach
    void serve() throws IOException {
        new SplittableRandom(1).nextBytes(content);
        sha256 = HexFormat.of().formatHex(Checksum.digest().digest(content));
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/file.tar.gz", this::answer);
        server.start();
        source = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/file.tar.gz");
        target = folder.resolve("deep/file.tar.gz");
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        ranges.add(String.valueOf(range));
        if (status != 200) {
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
            return;
        }
        int from = 0;
        int code = 200;
        if (range != null && rangesKnown) {
            from = Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
            if (from >= content.length) {
                exchange.sendResponseHeaders(416, -1);
                exchange.close();
                return;
            }
            code = 206;
            exchange.getResponseHeaders().set("Content-Range",
                    "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
        }
        exchange.sendResponseHeaders(code, content.length - from);
        try (OutputStream body = exchange.getResponseBody()) {
            body.write(content, from, Math.min(sendAtMost, content.length - from));
        } catch (IOException e) {
            // Ending short of the length that was announced is what this server is asked to do: it then falls silent.
            exchange.close();
        }
    }

    @Test
    void aFileComesWholeAndOnlyOnce() throws IOException {
        long[] last = new long[2];
        Download.fetch(source, target, sha256, (done, total) -> {
            last[0] = done;
            last[1] = total;
        });
        assertArrayEquals(content, Files.readAllBytes(target));
        assertArrayEquals(new long[]{content.length, content.length}, last);
        Download.fetch(source, target, sha256, (done, total) -> {
        });
        assertEquals(List.of("null"), ranges);
    }

    @Test
    void aDownloadThatIsCutShortGoesOnWhereItStopped() throws IOException {
        sendAtMost = 100_000;
        String message = failure();
        assertTrue(message.contains("stopped") && message.contains("the same command goes on"), message);
        assertFalse(Files.exists(target));
        long kept = Files.size(part());
        assertTrue(kept > 0 && kept <= 100_000, kept + " bytes");
        sendAtMost = Integer.MAX_VALUE;
        Download.fetch(source, target, sha256, (done, total) -> assertEquals(content.length, total));
        assertEquals(List.of("null", "bytes=" + kept + "-"), ranges);
        assertArrayEquals(content, Files.readAllBytes(target));
        assertFalse(Files.exists(part()));
    }

    @Test
    void aServerWithoutRangesSendsItAllAgain() throws IOException {
        Files.createDirectories(part().getParent());
        Files.write(part(), new byte[400_000]);
        rangesKnown = false;
        Download.fetch(source, target, sha256, (done, total) -> {
        });
        assertArrayEquals(content, Files.readAllBytes(target));
    }

    @Test
    void aWholePartNeedsNoMore() throws IOException {
        Files.createDirectories(part().getParent());
        Files.write(part(), content);
        Download.fetch(source, target, sha256, (done, total) -> {
        });
        assertArrayEquals(content, Files.readAllBytes(target));
    }

    @Test
    void aWrongChecksumIsExplainedAndNothingIsKept() throws IOException {
        Files.createDirectories(part().getParent());
        Files.write(part(), Arrays.copyOf(new byte[1], 1000));
        String message = failure();
        assertTrue(message.contains("has SHA-256 ") && message.contains("it should be " + sha256), message);
        assertFalse(Files.exists(part()));
        assertFalse(Files.exists(target));
        Download.fetch(source, target, sha256, (done, total) -> {
        });
        assertArrayEquals(content, Files.readAllBytes(target));
    }

    @Test
    void refusalsAndDeadServersAreExplained() {
        status = 404;
        assertTrue(failure().contains("the server answers 404"));
        server.stop(0);
        assertTrue(failure().contains("stopped"));
        assertFalse(Files.exists(target));
    }

    private Path part() {
        return target.resolveSibling("file.tar.gz.part");
    }

    private String failure() {
        return assertThrows(DataException.class, () -> Download.fetch(source, target, sha256, (done, total) -> {
        }, 2000)).getMessage();
    }
}
