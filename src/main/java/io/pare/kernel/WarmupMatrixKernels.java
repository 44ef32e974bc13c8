package io.pare.kernel;

/** {@link MatrixKernels} by vectors as soon as those are compiled: see {@link Warmup}. */
final class WarmupMatrixKernels implements MatrixKernels {
    private final MatrixKernels vectors;
    private final MatrixKernels plain;
    /** Of panels of one, two and three vectors, which are loops of their own. */
    private final Warmup[] widths;

    WarmupMatrixKernels(MatrixKernels vectors, MatrixKernels plain) {
        this.vectors = vectors;
        this.plain = plain;
        this.widths = new Warmup[vectors.panel() / vectors.lanes()];
        for (int i = 0; i < widths.length; i++) {
            widths[i] = new Warmup();
        }
    }

    @Override
    public String name() {
        return vectors.name();
    }

    @Override
    public int panel() {
        return vectors.panel();
    }

    @Override
    public int lanes() {
        return vectors.lanes();
    }

    @Override
    public void multiply(float[] a, int aAt, int aStride, int rows, PackedMatrix b, int panel, float[] out, int outAt,
            int outStride) {
        Warmup warmup = widths[b.width(panel) / lanes() - 1];
        int row = 0;
        while (row < rows && !warmup.done()) {
            boolean turn = warmup.isTurnOfVectors();
            int some = turn ? Math.min(ROWS, rows - row) : rows - row;
            long begun = System.nanoTime();
            (turn ? vectors : plain).multiply(a, aAt + row * aStride, aStride, some, b, panel, out,
                    outAt + row * outStride, outStride);
            warmup.note(turn, some * b.depth(), System.nanoTime() - begun);
            row += some;
        }
        if (row < rows) {
            vectors.multiply(a, aAt + row * aStride, aStride, rows - row, b, panel, out, outAt + row * outStride,
                    outStride);
        }
    }
}
