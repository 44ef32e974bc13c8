package io.pare.descent;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.format.safetensors.Safetensors;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunStateTest {
    private static final RunState.Kind KIND = new RunState.Kind("test.state", "2", "is no state: give another");

    @TempDir
    Path folder;

    private Path file() {
        return folder.resolve("state");
    }

    /** A run of one tensor and one of each kind of number. */
    private static final class Run {
        private final FloatTensor tensor;
        private String model = "one";
        private double number;
        private long count;

        Run(Region region) {
            this.tensor = region.tensor(3);
        }

        void visit(RunState state) {
            state.same("model", "model", model);
            number = state.number("number", number);
            count = state.whole("count", count, 0, 9);
            state.tensor("tensor", tensor);
        }

        Run save(Path file) throws IOException {
            RunState.Writer state = new RunState.Writer(KIND);
            visit(state);
            state.write(file);
            return this;
        }

        void restore(Path file) throws IOException {
            try (RunState.Reader state = new RunState.Reader(file, KIND)) {
                visit(state);
            }
        }
    }

    private static String refusal(Run run, Path file) {
        return assertThrows(FormatException.class, () -> run.restore(file)).getMessage();
    }

    @Test
    void whatWasSavedComesBack() throws IOException {
        try (Region region = Region.confined("runs")) {
            for (double number : new double[]{0.1, Double.NaN, Double.NEGATIVE_INFINITY, Double.MIN_VALUE, -0.0}) {
                Run run = new Run(region);
                run.number = number;
                run.count = 9;
                run.tensor.set(1, 0.1f);
                run.save(file());
                Run next = new Run(region);
                next.restore(file());
                assertEquals(number, next.number);
                assertEquals(9, next.count);
                assertArrayEquals(run.tensor.toArray(), next.tensor.toArray());
            }
        }
    }

    @Test
    void whatDoesNotFitIsRefusedByWhatItIs() throws IOException {
        try (Region region = Region.confined("runs")) {
            Run run = new Run(region).save(file());
            run.model = "two";
            assertTrue(refusal(run, file()).contains("was made with model one, this run has two: give it the same"));
            write("2", "one", "0.5", "10");
            assertTrue(refusal(new Run(region), file()).endsWith("its 'count' cannot be (10 is not from 0 to 9)"));
            new Safetensors.Writer().metadata("model", "one").write(file());
            assertTrue(refusal(run, file()).endsWith(KIND.refusal()));
            write("3", "one", "0.5", "1");
            assertTrue(refusal(run, file()).contains("is a state of version 3, this Pare reads 2"));
        }
    }

    private void write(String version, String model, String number, String count) throws IOException {
        try (Region region = Region.confined("file")) {
            new Safetensors.Writer().metadata(KIND.key(), version).metadata("model", model).metadata("number", number)
                    .metadata("count", count).add("tensor", region.tensor(3)).write(file());
        }
    }

    @Test
    void statesOfOldAreRead() throws IOException {
        try (Region region = Region.confined("runs")) {
            Run run = new Run(region);
            write("2", "one", Double.toHexString(0.1), "1");
            run.restore(file());
            assertEquals(0.1, run.number);
            new Safetensors.Writer().metadata(KIND.key(), "{\"model\":\"one\",\"number\":\"0.25\",\"count\":\"7\"}")
                    .add("tensor", region.tensor(3)).write(file());
            run.restore(file());
            assertEquals(0.25, run.number);
            assertEquals(7, run.count);
            try (RunState.Reader state = new RunState.Reader(file(), KIND)) {
                assertFalse(state.has("later"));
                assertEquals("usual", state.textOr("later", "usual"));
            }
        }
    }
}
