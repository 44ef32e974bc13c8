package io.pare.data;

import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ParallelTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void theFirstFailureIsThrownAnErrorToo(int threads) {
        OutOfMemoryError[] errors = {new OutOfMemoryError("first"), new OutOfMemoryError("second")};
        assertSame(errors[0], assertThrows(OutOfMemoryError.class, () -> Parallel.run(threads, 100, () -> item -> {
            if (item == 20 || item == 60) {
                throw errors[item / 40];
            }
        })));
    }
}
