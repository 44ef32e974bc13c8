package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DivergenceTest {
    @Test
    void aLossThatGrowsOutOfAllProportionIsWarnedAboutOnce() {
        List<String> warnings = new ArrayList<>();
        Divergence divergence = new Divergence(Math.log(10), "give a smaller --lr", warnings::add);
        for (double loss : new double[]{0.01, 2, 22, Math.log(10), 24, 1e12}) {
            divergence.see(loss);
        }
        divergence.restart();
        divergence.see(1e13);
        assertEquals(List.of("warning: the loss has grown from 0.0100 to 24.0, training diverges: give a smaller --lr"),
                warnings);
    }
}
