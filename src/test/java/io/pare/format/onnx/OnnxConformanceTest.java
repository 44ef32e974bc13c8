package io.pare.format.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * ONNX's own backend tests, as Debian's package libonnx-testdata installs them; -Dpare.test.onnx names another folder.
 *
 * <p>Each is computed in both engines, or refused for a reason that {@code refused.txt} gives. That list only shrinks:
 * -Dpare.test.renew=true writes it anew.
 */
class OnnxConformanceTest {
    private static final Path DATA = Path.of(System.getProperty("pare.test.onnx", "/usr/share/libonnx-testdata/data"));
    private static final Path REFUSED = Path.of("src/test/resources/io/pare/format/onnx/refused.txt");
    private static final int REASON = 160;

    @ParameterizedTest
    @ValueSource(strings = {"node", "pytorch-converted", "pytorch-operator", "simple"})
    void everyCaseIsComputedOrRefusedAsListed(String group) throws IOException {
        assumeTrue(Files.isDirectory(DATA.resolve(group)), "no ONNX tests in " + DATA + ": install libonnx-testdata");
        Map<String, String> refused = new TreeMap<>();
        List<String> failed = new ArrayList<>();
        for (OnnxCase each : OnnxCase.in(DATA.resolve(group))) {
            switch (each.run()) {
                case OnnxCase.Outcome.Passed _ -> {
                    // As it should.
                }
                case OnnxCase.Outcome.Refused(String reason) -> refused.put(each.name(), line(reason));
                case OnnxCase.Outcome.Failed(String reason) -> failed.add(each.name() + ": " + reason);
            }
        }
        if (Boolean.getBoolean("pare.test.renew")) {
            renew(group, refused);
        }
        assertEquals("", String.join("\n", failed), "fail");
        assertEquals(String.join("\n", listed(group).keySet()), String.join("\n", refused.keySet()), "refused");
    }

    /** A message as far as it names the reason: what to do about it stands behind a semicolon. */
    private static String line(String message) {
        String line = message.replaceAll("\\s+", " ").replaceAll(";.*", "");
        return line.length() > REASON ? line.substring(0, REASON) : line;
    }

    private static Map<String, String> listed(String group) throws IOException {
        Map<String, String> all = listed();
        all.keySet().removeIf(name -> !name.startsWith(group + "/"));
        return all;
    }

    /** Reasons by name. */
    private static Map<String, String> listed() throws IOException {
        Map<String, String> listed = new TreeMap<>();
        if (Files.exists(REFUSED)) {
            for (String line : Files.readAllLines(REFUSED)) {
                String[] parts = line.split("\t", 2);
                listed.put(parts[0], parts[1]);
            }
        }
        return listed;
    }

    private static void renew(String group, Map<String, String> refused) throws IOException {
        Map<String, String> all = listed();
        all.keySet().removeIf(name -> name.startsWith(group + "/"));
        all.putAll(refused);
        Files.write(REFUSED, all.entrySet().stream().map(each -> each.getKey() + "\t" + each.getValue()).toList());
    }
}
