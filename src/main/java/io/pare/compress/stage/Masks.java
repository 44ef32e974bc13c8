package io.pare.compress.stage;

import io.pare.compress.Variable;
import io.pare.descent.RunState;
import io.pare.kernel.Bits;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongPredicate;

/** One bit for each element of some variables. The memory belongs to the region. */
final class Masks {
    private final Map<Variable, MemorySegment> bits = new LinkedHashMap<>();

    Masks(Region region, List<Variable> variables) {
        for (Variable variable : variables) {
            bits.put(variable, region.allocate(Bits.bytes(variable.value().count())));
        }
    }

    /** Sets the bits of one variable. */
    void set(Variable variable, LongPredicate bit) {
        MemorySegment segment = bits.get(variable);
        long n = variable.value().count();
        for (long at = 0; at < segment.byteSize(); at++) {
            int octet = 0;
            for (int b = 0; b < 8 && at * 8 + b < n; b++) {
                octet |= bit.test(at * 8 + b) ? 1 << b : 0;
            }
            segment.set(ValueLayout.JAVA_BYTE, at, (byte) octet);
        }
    }

    /** Sets the bits where values are not zero. */
    void setNonzeros() {
        bits.keySet().forEach(variable -> {
            FloatTensor value = variable.value();
            set(variable, i -> value.get(i) != 0);
        });
    }

    Bits of(Variable variable) {
        return new Bits(bits.get(variable), 0);
    }

    /** Makes the optimiser hold values without a bit at zero. */
    void install() {
        bits.keySet().forEach(variable -> variable.mask(of(variable)));
    }

    /** Frees all values. */
    void remove() {
        bits.keySet().forEach(variable -> variable.mask(null));
    }

    void visit(RunState state, String name) {
        bits.forEach((variable, segment) -> state.bytes(name + "." + variable.name(), segment));
    }
}
