package io.pare.fuzz;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FuzzTest {
    private static final byte[] SEED = "a valid input".getBytes(StandardCharsets.UTF_8);

    @Test
    void anInputIsMadeAgainFromItsNumberAndOthersDiffer() {
        Mutations mutations = Mutations.of(List.of(SEED, new byte[]{1})).withWords("keyword");
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < 1000; i++) {
            byte[] input = mutations.apply(i);
            assertArrayEquals(input, mutations.apply(i));
            seen.add(Arrays.toString(input));
        }
        assertTrue(seen.size() > 600, () -> seen.size() + " different inputs");
        assertTrue(seen.stream().anyMatch(input -> input.contains("107, 101, 121, 119, 111, 114, 100")));
    }

    @Test
    void everyInputIsSealed() {
        Mutations mutations = Mutations.of(List.of(SEED)).sealedBy(bytes -> Arrays.copyOf(bytes, 7));
        for (int i = 0; i < 100; i++) {
            assertEquals(7, mutations.apply(i).length);
        }
    }

    @Test
    void refusalsAreCountedAndOtherFailuresNameTheInput() {
        Mutations mutations = Mutations.of(List.of(SEED));
        Fuzz.Report report = Fuzz.of("strict", mutations, input -> {
            if (!Arrays.equals(input, SEED)) {
                throw new IllegalArgumentException("not the seed");
            }
        }, IllegalArgumentException.class).run(200);
        assertEquals(200, report.inputs());
        assertTrue(report.refused() > 100 && report.refused() <= 200, report::toString);
        OutOfMemoryError thrown = new OutOfMemoryError("made up");
        AssertionError failure = assertThrows(AssertionError.class, () -> Fuzz.of("greedy", mutations, input -> {
            if (input.length < SEED.length) {
                throw thrown;
            }
        }, IllegalArgumentException.class).run(200));
        assertSame(thrown, failure.getCause());
        assertTrue(failure.getMessage().startsWith("greedy, input "), failure.getMessage());
    }

    @Test
    void aRefusalMustSayWhyInOneLine() {
        for (String message : new String[]{null, "", "two\nlines"}) {
            Fuzz fuzz = Fuzz.of("mute", Mutations.of(List.of(SEED)), _ -> {
                throw new IllegalArgumentException(message);
            }, IllegalArgumentException.class);
            AssertionError failure = assertThrows(AssertionError.class, () -> fuzz.run(1));
            assertFalse(failure.getMessage().isEmpty());
        }
    }
}
