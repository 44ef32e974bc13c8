package io.pare.dnnl;

import io.pare.Rounding;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;

/** Runs primitives on row-major operands, with a reorder wherever the primitive wants another layout. */
final class Workbench implements AutoCloseable {
    final Region region = Region.confined("primitive under test");
    private final Scratchpad scratchpad = new Scratchpad(region);

    /** An operand by name: a row-major tensor, read before or written after the primitive runs. */
    record Operand(Arg arg, FloatTensor tensor, boolean output) {}

    FloatTensor tensor(float[] values, long... dims) {
        return region.tensor(dims).copyFrom(values);
    }

    static Operand in(Arg arg, FloatTensor tensor) {
        return new Operand(arg, tensor, false);
    }

    static Operand out(Arg arg, FloatTensor tensor) {
        return new Operand(arg, tensor, true);
    }

    void run(Primitive primitive, Operand... operands) {
        Primitive.Binding binding = primitive.bind(scratchpad);
        Execution[] after = new Execution[operands.length];
        for (int i = 0; i < operands.length; i++) {
            Operand operand = operands[i];
            DnnlMemory plain = DnnlMemory.over(region, operand.tensor);
            MemoryDesc wanted = primitive.desc(operand.arg);
            DnnlMemory used = plain;
            if (!wanted.sameAs(plain.desc())) {
                used = DnnlMemory.allocate(region, wanted);
                if (operand.output) {
                    after[i] = Reorder.between(region, used, plain);
                } else {
                    Reorder.between(region, plain, used).run();
                }
            }
            binding.with(operand.arg, used);
        }
        if (primitive.has(Arg.WORKSPACE)) {
            if (workspace == null || !workspace.desc().sameAs(primitive.desc(Arg.WORKSPACE))) {
                workspace = DnnlMemory.allocate(region, primitive.desc(Arg.WORKSPACE));
            }
            binding.with(Arg.WORKSPACE, workspace);
        }
        binding.prepare().run();
        for (Execution reorder : after) {
            if (reorder != null) {
                reorder.run();
            }
        }
        DnnlEngine.get().await();
    }

    private DnnlMemory workspace;

    /** Compares with a bound that grows with the number of terms of each sum. */
    static void assertClose(String what, double[] expected, FloatTensor actual, int terms) {
        Rounding.assertClose(expected, actual.toArray(), terms + 8, what);
    }

    @Override
    public void close() {
        region.close();
    }
}
