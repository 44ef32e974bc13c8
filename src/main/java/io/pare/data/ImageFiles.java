package io.pare.data;

import java.nio.file.Path;
import java.util.List;

/** Pictures in files, decoded whenever they are asked for. */
record ImageFiles(List<Path> files, int channels, double border, OddImages odd) implements Images {
    @Override
    public int count() {
        return files.size();
    }

    @Override
    public boolean slow() {
        return true;
    }

    @Override
    public Reader reader() {
        Decoder decoder = new Decoder(channels, odd.background());
        return new Reader() {
            @Override
            public void read(int row, PixelView view) {
                decoder.read(files.get(row), view);
            }

            @Override
            public void close() {
                decoder.close();
            }
        };
    }

    @Override
    public void refuse(int row, BadImageException cause) {
        odd.damaged(files.get(row), cause.getMessage());
    }
}
